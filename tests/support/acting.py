"""Processes that stand for running actions, and the records an engine keeps of them."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.engine_process import start_time, wait_for
from zen_agents.adapters.running_actions import RunningGroup, this_boot


def a_state(folder: Path) -> Path:
    """Make a state directory as an engine leaves it."""
    state = folder / "state"
    (state / "running").mkdir(mode=0o700, parents=True)
    state.chmod(0o700)
    (state / ".emergency-stop-prepared").write_bytes(b"set by renaming the prepared file\n" + b" " * 4000)
    return state


@contextmanager
def a_group(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, and end whatever is left of it."""
    process = subprocess.Popen(argv, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def said_pid(process: subprocess.Popen[bytes]) -> int:
    """Return the pid that a command printed as its first line."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def members(session: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))) and fields[0] not in "ZX":
            found += [int(entry.name)] * (int(fields[3]) == session)
    return found


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    except OSError:
        return []


def record(state: Path, group: int, *, name: str = "act-test00", start: int | None = None, boot: str | None = None) -> Path:
    """Write the record of a running action, by default of one whose leader lives."""
    began = start if start is not None else start_time(group)
    assert began is not None
    path = state / "running" / name
    path.write_text(RunningGroup(group, began, began, this_boot() if boot is None else boot).line())
    return path


def gone(pid: int) -> None:
    """Wait until a process has ended."""
    wait_for(lambda: start_time(pid) is None, f"the end of process {pid}")
