"""One look reads as much of a log as it may, and as it has time for."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.log_reading import LogReading
from zen_agents.ports.host_logs import LogRequest


@pytest.mark.parametrize(("seconds_a_piece", "pieces"), [(0.0, 4), (4.0, 3), (60.0, 1)])
def test_a_look_that_takes_long_goes_on_at_the_next(tmp_path: Path, seconds_a_piece: float, pieces: int) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"{number} {'x' * 1000}\n" for number in range(4000)))
    clock = count(step=seconds_a_piece)
    reading = LogReading(LogRequest(str(log), most_bytes=256 << 10, from_start=True), lambda: float(next(clock)))
    host, taken = LinuxHost(tmp_path / "state").look(), bytearray()
    read = [reading.read(host, lambda lines, _path: taken.extend(lines), 4)]
    assert len(read[0]) == pieces
    while read[-1][-1].behind:
        read.append(reading.read(host, lambda lines, _path: taken.extend(lines), 4))
    assert bytes(taken) == log.read_bytes()
