"""Which actions still run, whichever engine began them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from zen_agents.adapters.running_actions import RunningGroup, still_running, this_boot


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def running(tmp_path: Path) -> Path:
    (tmp_path / "running").mkdir()
    return tmp_path / "running"


def began(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split(" ")[19])


def record(running: Path, id: str, *, pid: int, start: int, boot: str | None = None) -> None:
    (running / id).write_text(RunningGroup(pid, start, start, boot or this_boot()).line(), encoding="ascii")


def test_a_command_that_lives_still_runs(running: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(running, "act-1", pid=sleeper.pid, start=began(sleeper.pid))
    assert still_running(running.parent) == ("act-1",)
    sleeper.kill()
    sleeper.wait()
    assert still_running(running.parent) == ()


def test_one_that_ended_and_that_nobody_asked_after_does_not_run(running: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(running, "act-1", pid=sleeper.pid, start=began(sleeper.pid))
    sleeper.kill()
    sleeper.poll()
    while still_running(running.parent):
        # The kernel ends it at its own pace.
        subprocess.run(["true"], check=True)
    assert still_running(running.parent) == ()


def test_a_number_that_is_anothers_by_now_does_not_count(running: Path, sleeper: subprocess.Popen[bytes]) -> None:
    record(running, "act-reused", pid=sleeper.pid, start=began(sleeper.pid) - 1)
    record(running, "act-before-the-boot", pid=sleeper.pid, start=began(sleeper.pid), boot="another")
    (running / "act-odd").write_text("what is this", encoding="ascii")
    assert still_running(running.parent) == ()
