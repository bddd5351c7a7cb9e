"""Processes: the table, what each of them is, and what may be done to one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

#: Zombie and dead, as ps writes them.
ENDED = frozenset("ZXx")


class Process(NamedTuple):
    """One line of the process table, from /proc/PID/stat."""

    pid: int
    #: Start time in clock ticks since boot; with the pid it names a process for good (R20).
    start_time: int
    parent: int
    name: str
    #: One letter as in ps: R S D Z T ...
    state: str
    #: User and system CPU seconds so far.
    cpu_seconds: float
    resident_bytes: int
    session: int

    @property
    def fingerprint(self) -> str:
        """`pid:start_time`."""
        return f"{self.pid}:{self.start_time}"


class ProcessView(Protocol):
    """Read-only questions about the processes of a host."""

    def process(self, pid: int) -> Process | None:
        """Return one process by reading its /proc/PID/stat, None if it is gone."""
        ...

    def processes(self) -> Mapping[int, Process]:
        """Return the process table, read once a look."""
        ...

    def children(self) -> Mapping[int, Sequence[Process]]:
        """Return the children of each process that has some, by its pid; made once a look."""
        ...

    def command_line(self, process: Process) -> tuple[str, ...]:
        """Return argv; remembered for as long as pid and start time are the same."""
        ...

    def executable(self, process: Process) -> str: ...

    def owner(self, process: Process) -> int:
        """Return the effective uid of a process."""
        ...

    def cgroup(self, process: Process) -> str: ...

    def descriptors(self, process: Process) -> tuple[int, int]:
        """Return (open descriptors, soft limit)."""
        ...

    def service_process(self, name: str) -> Process | None:
        """Return the process that `HostControl.start_service` last started for this service, if it still is that one."""
        ...

    def pidfile_process(self, path: str, *, user: str = "", executable: str = "") -> Process | None:
        """Return the live process that a pidfile names, None if it names none.

        A pidfile that others than root and the engine can write counts only if account and executable are given and match;
        else HostError says so (R20).
        """
        ...

    def deleted_open_files(self) -> Sequence[tuple[Process, int, str, int]]:
        """Return (process, descriptor, former path, bytes) of regular files without a link that somebody holds open."""
        ...

    def listeners(self, port: int) -> Sequence[int]:
        """Return pids that listen on a TCP port, where that can be told."""
        ...


class ProcessChanges(Protocol):
    """The part of `HostControl` that changes processes."""

    async def stop_process(self, process: Process, *, timeout_seconds: float) -> bool:
        """TERM, then KILL after the time-out, through a pidfd; True if it is gone. A reused pid raises StalePlanError."""
        ...

    def signal(self, process: Process, number: int) -> None:
        """Send one signal through a pidfd; StalePlanError if the process is not the one that was seen."""
        ...

    def renice(self, process: Process, nice: int) -> None:
        """Set the niceness of each thread; StalePlanError if the process is not the one that was seen."""
        ...

    def truncate_descriptor(self, process: Process, descriptor: int, *, expected_path: str) -> int:
        """Truncate a deleted regular file through /proc/PID/fd, under the conditions of R19; return the bytes freed."""
        ...


def by_parent(table: Mapping[int, Process]) -> Mapping[int, Sequence[Process]]:
    """Return the children of each process that has some."""
    children: dict[int, list[Process]] = defaultdict(list)
    for each in table.values():
        children[each.parent].append(each)
    return children


def family(process: Process, host: ProcessView) -> Sequence[Process]:
    """Return a process and all that descend from it, zombies too, itself first."""
    children = host.children()
    if process.pid not in children:
        return [process]
    found, seen = [process], {process.pid}
    for member in found:
        # A table that was read while processes came and went may name one as its own ancestor.
        new = [child for child in children.get(member.pid, ()) if child.pid not in seen]
        seen.update(child.pid for child in new)
        found += new
    return found
