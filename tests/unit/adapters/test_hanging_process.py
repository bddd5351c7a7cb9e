"""A process that hangs in the kernel is killed once at most: the signal waits with it, and a second would wait beside it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.waiting import wait_until
from tests.support.changing import changing
from zen_agents.adapters import linux_control_processes
from zen_agents.errors import ActionFailedError

FREEZER = Path("/sys/fs/cgroup/freezer")


@pytest.fixture
def hanging() -> Iterator[int]:
    """A process that the freezer of cgroup version 1 holds in state D."""
    if os.geteuid() != 0 or not (FREEZER / "cgroup.procs").exists():
        pytest.skip("needs root and the freezer of cgroup version 1")
    group = FREEZER / f"zen-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as reason:
        pytest.skip(f"the freezer cannot be used here: {reason}")
    child = subprocess.Popen(["sleep", "60"])
    try:
        (group / "cgroup.procs").write_text(str(child.pid))
        (group / "freezer.state").write_text("FROZEN")
        wait_until(lambda: (group / "freezer.state").read_text() == "FROZEN\n", "the frost", seconds=60)
        yield child.pid
    finally:
        (group / "freezer.state").write_text("THAWED")
        child.kill()
        child.wait()
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "its end", seconds=60)
        group.rmdir()


async def test_it_is_killed_once_at_most(hanging: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_control_processes, "_KILLED_WITHIN_SECONDS", 0.05)
    here = changing(tmp_path)
    process = here.host.look().process(hanging)
    assert process is not None
    assert process.state == "D"
    assert await here.control().stop_process(process, timeout_seconds=0.05) is False
    sent: list[int] = []
    monkeypatch.setattr(linux_control_processes.signal, "pidfd_send_signal", lambda _, number: sent.append(number))
    with pytest.raises(ActionFailedError, match="hangs in the kernel and was killed already"):
        await here.control().stop_process(process, timeout_seconds=0.05)
    assert sent == []
