"""The state directory: made private, trusted only if private, and held by one engine at a time."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import stat
from pathlib import Path

from zen_agents.adapters.durable_file import replace_durably, sync
from zen_agents.errors import BusyError, StoreError

log = logging.getLogger("zen_agents.state_dir")

LOCK = "engine.lock"
#: Where a start leaves the path of its state, for the emergency scripts.
ROOT_POINTER = Path("/run/zen-agents/state-dir")
_SUBDIRECTORIES = ("running", "services", "quarantine")


class StateDir:
    """One state directory, opened for an engine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None
        self._pointer: Path | None = None

    def prepare(self) -> None:
        """Make it and what is in it, for this account alone.

        Raises StoreError if it cannot be made, or if others may write it (R21): what is read from it would not be to trust.
        """
        try:
            new = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, os.geteuid()):
                raise StoreError(f"{self.path} is not a directory of this account; give another one with --state-dir")
            if found.st_mode & 0o022:
                raise StoreError(f"{self.path} may be written by others (mode {found.st_mode & 0o7777:04o}); chmod 700 it")
            if found.st_mode & 0o077 and found.st_uid == os.geteuid():
                self.path.chmod(0o700)
            for name in _SUBDIRECTORIES:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            # What is written into a directory goes with its name if that was not durable.
            for path in (self.path, *(each.parent for each in new)):
                sync(path)
        except OSError as error:
            # A full or read-only disk is no reason not to watch; what is missing shows when it is needed.
            if not self.path.is_dir():
                raise StoreError(f"the state directory {self.path} cannot be made: {error.strerror}") from error

    def open_to(self, group: int) -> None:
        """Let members of a group pass through to what is theirs in it; they can still not list it, others not even pass."""
        try:
            os.chown(self.path, -1, group)
            self.path.chmod(0o710)
        except OSError as error:
            log.warning("%s was not opened for its group: %s", self.path, error.strerror)

    def take(self) -> None:
        """Hold the directory for this process.

        Raises BusyError if another engine holds it, StoreError if that cannot be told.
        """
        descriptor = self._open_lock()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 64, 0).decode(errors="replace").split(" ")[0]
            os.close(descriptor)
            raise BusyError(f"an engine (pid {holder}) works on {self.path} already; stop it, or give --state-dir") from None
        self._lock = descriptor
        with contextlib.suppress(OSError):  # a full or read-only disk: the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} {_own_start_time()}\n".encode(), 0)

    def _open_lock(self) -> int:
        path, flags = self.path / LOCK, os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
        except OSError as error:
            # What is there already can be locked on a read-only disk as well: watching goes on.
            with contextlib.suppress(OSError):
                return os.open(path, os.O_RDONLY | flags)
            raise StoreError(f"{path} cannot be opened: {error.strerror}; look at the disk and at its owner") from error

    def point(self, pointer: Path = ROOT_POINTER) -> None:
        """Leave the path where the emergency scripts look for it; that it cannot be left is no reason not to start."""
        if os.geteuid() != 0:
            runtime = os.environ.get("XDG_RUNTIME_DIR")
            if not runtime:
                return
            pointer = Path(runtime) / "zen-agents" / "state-dir"
        with contextlib.suppress(OSError):
            pointer.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            replace_durably(pointer, f"{self.path}\n".encode(), mode=0o644)
            self._pointer = pointer

    def release(self) -> None:
        """Let go; the lock ends with the descriptor. The pointer stays: the stop has to find a dead engine's state too."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _own_start_time() -> str:
    """Return this process's start time in clock ticks, the 22nd field of its stat."""
    line = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace")
    return line.rpartition(") ")[2].split(" ")[19]
