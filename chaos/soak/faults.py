"""What goes wrong on the soaked host, again and again: each fault breaks something real and tells when it is repaired."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class Fault(Protocol):
    """One kind of fault; it is broken again only after it was repaired."""

    name: str

    def inject(self) -> None:
        """Break it."""

    def is_repaired(self) -> bool:
        """Tell whether what was broken is as it should be."""


@dataclass(slots=True)
class KilledService:
    """The main process of a `command:` service is killed."""

    record: Path
    port: int
    name: str = "service killed"
    _killed: int = 0

    def inject(self) -> None:
        """Kill the process that the engine started last."""
        self._killed = self._pid()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._killed, signal.SIGKILL)

    def is_repaired(self) -> bool:
        """Another process lives, and its port accepts."""
        pid = self._pid()
        return pid not in (0, self._killed) and self._accepts()

    def _pid(self) -> int:
        try:
            # Empty for a moment while a new process is being started.
            return int((self.record.read_text("ascii").split() or ["0"])[0])
        except FileNotFoundError:
            return 0

    def _accepts(self) -> bool:
        with socket.socket() as sock:
            sock.settimeout(1.0)
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass(slots=True)
class MissingDirectory:
    """A directory that must be there is removed."""

    path: Path
    name: str = "directory missing"

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

    def inject(self) -> None:
        """Write more than the limit."""
        with self.path.open("ab") as log:
            log.write(b"a line of a busy service\n" * (self.rotate_at // 25 + 40))

    def is_repaired(self) -> bool:
        """The log is short again, or gone until its writer makes a new one."""
        return not self.path.exists() or self.path.stat().st_size < self.rotate_at


@dataclass(slots=True)
class FullDirectory:
    """A directory of temporary files, or a cache, is filled with files."""

    directory: Path
    name: str
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
