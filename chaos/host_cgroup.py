"""The cgroup of each disposable host: its own part of the unified hierarchy, removed with it."""

from __future__ import annotations

import contextlib
import os
import select
import time
from pathlib import Path

#: Where commands from outside run, beside what the host's systemd makes.
COMMANDS = "commands"
_PREFIX = "zen-host-"
_EMPTY_WITHIN_SECONDS = 10.0


def make_cgroup() -> Path:
    """Make a cgroup named after this process below its own; OSError where no unified hierarchy is.

    What killed processes left behind there is removed first.
    """
    top = _own_cgroup()
    for left in top.glob(f"{_PREFIX}*"):
        if not _lives(*left.name.removeprefix(_PREFIX).split("-")):
            remove_cgroup(left)
    cgroup = top / f"{_PREFIX}{os.getpid()}-{_state_and_start_time(os.getpid())[1]}"
    (cgroup / COMMANDS).mkdir(parents=True)
    return cgroup


def remove_cgroup(cgroup: Path) -> None:
    """Kill what is left in a cgroup and remove it with all below it."""
    with contextlib.suppress(OSError):  # kernels before 5.14 have no cgroup.kill; the pid namespace's end does the same
        (cgroup / "cgroup.kill").write_text("1", encoding="ascii")
    give_up = time.monotonic() + _EMPTY_WITHIN_SECONDS
    while cgroup.exists() and time.monotonic() < give_up:
        for directory, _, _ in os.walk(cgroup, topdown=False):
            with contextlib.suppress(OSError):  # the dead leave it a moment later
                Path(directory).rmdir()
        select.select([], [], [], 0.005)


def _own_cgroup() -> Path:
    own = next((line[3:] for line in _lines("/proc/self/cgroup") if line.startswith("0::")), "")
    for line in _lines("/proc/self/mountinfo"):
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            return Path(before.split()[4]) / own.lstrip("/")
    raise OSError("no cgroup2 hierarchy is mounted here")


def _lives(pid: str, start_time: str) -> bool:
    try:
        state, found = _state_and_start_time(int(pid))
    except OSError:
        return False
    # One that nobody reaped removes nothing any more.
    return found == start_time and state not in "ZX"


def _state_and_start_time(pid: int) -> tuple[str, str]:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return fields[0], fields[19]


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
