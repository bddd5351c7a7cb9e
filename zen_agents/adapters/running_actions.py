"""What actions are running now, by the records in `running/`; the emergency stop ends them, engine hung or dead.

A record is `GROUP START SINCE BOOT`: the process group, its leader's start time, the time (ticks) since when members of its
session belong to the action, and the boot they belong to. `scripts/stop-agents.sh` reads the same without Python.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

from zen_agents.adapters.durable_file import unfinished
from zen_agents.clock import boot_id
from zen_agents.dataclass import dataclass

#: A killed package manager is worse than the wait.
_PACKAGE_MANAGERS = re.compile(r"dpkg.*|apt|apt-get|aptitude|rpm|dnf.*|yum|zypper|pacman|apk")
_MOST_RECORD_BYTES = 200


def this_boot() -> str:
    """Return this boot's id as records have it."""
    return boot_id() or "-"


@dataclass(frozen=True, slots=True)
class RunningGroup:
    """One record: what an action started, and which processes belong to it."""

    group: int
    leader_started: int
    since: int
    boot: str

    def line(self) -> str:
        """Return the record as it is written."""
        return f"{self.group} {self.leader_started} {self.since} {self.boot}\n"

    def members(self) -> list[_Process]:
        """Return what lives of it; nothing if its number belongs to another process by now.

        As long as one member lives, the kernel gives neither the group's nor the session's number to anybody else.
        """
        processes = list(_processes()) if self.boot == this_boot() else []
        if any(process.pid == self.group and process.began != self.leader_started for process in processes):
            return []
        return [
            process for process in processes
            if self.group in (process.group, process.session) and process.began >= self.since
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    name: str
    group: int
    session: int
    began: int
    #: A zombie: it has ended, and nobody has asked how.
    ended: bool


def kill_running(state_dir: Path, *, also_packages: bool = False) -> dict[str, str]:
    """SIGKILL what running actions started; return what became of each: killed, finishing, gone, no record or not ours.

    As root only root's records count (R33). A package manager is let finish unless `also_packages`.
    """
    ended: dict[str, str] = {}
    for record in sorted((state_dir / "running").glob("act-*")):
        try:
            found = _read(record)
        except PermissionError:
            ended[record.name] = "not ours"
        except (OSError, ValueError):
            ended[record.name] = "no record"
        else:
            ended[record.name] = _kill(found, also_packages=also_packages)
    return ended


def forget_ended(state_dir: Path) -> None:
    """Remove the records of actions of which nothing lives any more; an engine that was killed leaves them behind."""
    for begun in (state_dir / "running").glob(unfinished(Path("act-*")).name):
        # Its child never got its word.
        with contextlib.suppress(OSError):
            begun.unlink()
    for record in (state_dir / "running").glob("act-*"):
        # One that cannot be read or removed stays: whoever reads it compares start times.
        with contextlib.suppress(OSError, ValueError):
            if all(process.ended for process in _read(record).members()):
                record.unlink()


def still_running(state_dir: Path) -> tuple[str, ...]:
    """Return the ids of actions whose command itself still runs, whichever engine began it."""
    ids = []
    for record in (state_dir / "running").glob("act-*"):
        try:
            action = _read(record)
        except FileNotFoundError:
            continue  # it ended just now, and took its record along
        except (OSError, ValueError):
            # Nobody can tell; it names no process that could be waited for either.
            continue
        leader = _look(action.group) if action.boot == this_boot() else None
        if leader is not None and leader.began == action.leader_started and not leader.ended:
            ids.append(record.name)
    return tuple(ids)


def _read(record: Path) -> RunningGroup:
    """Return a record; ValueError if it is none, PermissionError if root does not believe it."""
    descriptor = os.open(record, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        if os.geteuid() == 0 and found.st_uid != 0:
            raise PermissionError(f"{record} is not root's")
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{record} is not a file")
        group, start, since, boot = os.read(descriptor, _MOST_RECORD_BYTES).decode("ascii").split()
    finally:
        os.close(descriptor)
    if int(group) <= 1:
        raise ValueError(f"{record} names no group of an action")
    return RunningGroup(int(group), int(start), int(since), boot)


def _kill(action: RunningGroup, *, also_packages: bool) -> str:
    members = action.members()
    if all(process.ended for process in members):
        return "gone"
    if not also_packages and any(_PACKAGE_MANAGERS.fullmatch(process.name) for process in members):
        return "finishing"
    if any(process.pid == action.group for process in members):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(action.group, signal.SIGKILL)
    for process in members:
        _kill_one(process)
    return "killed"


def _kill_one(process: _Process) -> None:
    """Kill a process if it still is the one that was seen (R20)."""
    with contextlib.suppress(OSError):  # it has just ended
        descriptor = os.pidfd_open(process.pid)
        try:
            seen = _look(process.pid)
            if seen is not None and seen.began == process.began:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


def _processes() -> Iterator[_Process]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (process := _look(int(entry.name))) is not None:
            yield process


def _look(pid: int) -> _Process | None:
    """Return a process, None if it has ended."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    head, _, rest = line.rpartition(") ")
    fields = rest.split(" ")
    return _Process(pid, head.partition("(")[2], int(fields[2]), int(fields[3]), int(fields[19]), fields[0] in "ZXx")
