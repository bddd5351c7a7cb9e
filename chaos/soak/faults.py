"""What goes wrong on the soaked host, again and again: each fault breaks something real and tells when it is repaired."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from zen_agents.adapters.linux_view_processes import ProcessReader


class Fault(Protocol):
    """One kind of fault; it is broken again only after it was repaired."""

    name: str
    #: What the engine calls it.
    target: str

    def inject(self) -> None:
        """Break it."""

    def is_repaired(self) -> bool:
        """Tell whether what was broken is as it should be."""


#: Stands for a process that is not there.
NOBODY = (0, 0)


def recorded(record: Path) -> tuple[int, int]:
    """Return pid and start time of a service by the engine's record, NOBODY where there is none."""
    try:
        # Empty for a moment while a new process is being started.
        words = record.read_text("ascii").split()
    except FileNotFoundError:
        return NOBODY
    return (int(words[0]), int(words[1])) if len(words) == 2 else NOBODY


def kill(pid: int, start_time: int) -> None:
    """Kill this very process and no other: its number may have been given away since it was written down."""
    if pid <= 1:
        return
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            process = ProcessReader("/proc").read(pid)
            if process is not None and process.start_time == start_time:
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


@dataclass(slots=True)
class KilledService:
    """The main process of a `command:` service is killed."""

    record: Path
    port: int
    name: str = "service killed"
    target: str = "service:web"
    _killed: tuple[int, int] = NOBODY

    def inject(self) -> None:
        """Kill the process that the engine started last."""
        self._killed = recorded(self.record)
        kill(*self._killed)

    def is_repaired(self) -> bool:
        """Another process lives, and its port accepts."""
        return recorded(self.record) not in (NOBODY, self._killed) and self._accepts()

    def _accepts(self) -> bool:
        with socket.socket() as sock:
            sock.settimeout(1.0)
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(slots=True)
class MissingDirectory:
    """A directory that must be there is removed."""

    path: Path
    name: str = "directory missing"
    target: str = "path:spool"

    def inject(self) -> None:
        """Remove it."""
        self.path.rmdir()

    def is_repaired(self) -> bool:
        """It is there again."""
        return self.path.is_dir()


@dataclass(slots=True)
class ChangedMode:
    """The mode of a watched file is changed."""

    path: Path
    mode: int
    name: str = "mode changed"
    target: str = "path:conf"

    def inject(self) -> None:
        """Take every permission away."""
        self.path.chmod(0)

    def is_repaired(self) -> bool:
        """It has the listed mode again."""
        return self.path.stat().st_mode & 0o7777 == self.mode


@dataclass(slots=True)
class GrownLog:
    """A log grows beyond the size at which it is rotated."""

    path: Path
    rotate_at: int
    name: str = "log grown"
    target: str = "log:app"

    def inject(self) -> None:
        """Write more than the limit."""
        with self.path.open("ab") as log:
            log.write(b"a line of a busy service\n" * (self.rotate_at // 25 + 40))

    def is_repaired(self) -> bool:
        """The log is short again, or gone until its writer makes a new one."""
        try:
            return self.path.stat().st_size < self.rotate_at
        except FileNotFoundError:
            return True


@dataclass(slots=True)
class FullDirectory:
    """A directory of temporary files, or a cache, is filled with files."""

    directory: Path
    name: str
    target: str
    #: Files that are made, and how many may be left afterwards.
    files: int = 20
    left: int = 0
    file_bytes: int = 4096
    _turn: int = field(default=0)

    def inject(self) -> None:
        """Write files with new names."""
        self._turn += 1
        for number in range(self.files):
            (self.directory / f"{self._turn}-{number}").write_bytes(b"x" * self.file_bytes)

    def is_repaired(self) -> bool:
        """So few are left that the limit is kept."""
        return sum(1 for _ in self.directory.iterdir()) <= self.left
