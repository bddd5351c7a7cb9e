"""Who has the number of a process that ended is never taken for it, however well that one was known (R20)."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from zen_agents.adapters.linux_view_processes import ProcessReader
from zen_agents.errors import HostError, ProcessGoneError

_LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
_TRIES = 200


def _sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"])


def _sleeps(pid: int) -> bool:
    """Tell whether it has started: until then it opens libraries and closes them again."""
    return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def _with_number(pid: int) -> subprocess.Popen[bytes] | None:
    """Start a process that gets this number; None if others are always faster."""
    for _ in range(_TRIES):
        _LAST_PID.write_text(str(pid - 1))
        child = _sleeping()
        if child.pid == pid:
            return child
        _end(child)
    return None


@pytest.mark.skipif(not os.access(_LAST_PID, os.W_OK), reason="needs the right to say which number comes next")
def test_descriptors_are_never_those_of_who_got_the_number_later() -> None:
    reader, child = ProcessReader("/proc"), _sleeping()
    wait_for(lambda: _sleeps(child.pid))
    known = reader.read(child.pid)
    assert known is not None
    assert reader.descriptors(known) == reader.descriptors(known), "the second time it is known whose directory it is"
    _end(child)
    with pytest.raises(HostError):
        reader.descriptors(known)
    # Within one tick of the clock two processes of one number cannot be told apart by anybody.
    wait_for(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK") > known.start_time + 1)
    other = _with_number(child.pid)
    if other is None:
        pytest.skip("the number was taken by others each time")
    try:
        with pytest.raises(ProcessGoneError):
            reader.descriptors(known)
        reborn = reader.read(other.pid)
        assert reborn is not None
        assert (reborn.pid, reader.descriptors(reborn)[0] > 0) == (known.pid, True)
        with pytest.raises(ProcessGoneError):
            reader.descriptors(known)
    finally:
        _end(other)
