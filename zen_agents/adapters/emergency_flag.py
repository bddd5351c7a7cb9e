"""The emergency stop as a file: it works with the engine dead, the store unreadable and the disk full (R9)."""

from __future__ import annotations

import contextlib
import os
import stat
from datetime import datetime
from pathlib import Path

from zen_agents.adapters.durable_file import sync
from zen_agents.errors import HostError, PermissionDeniedError

FLAG_NAME = "EMERGENCY_STOP"
PREPARED_NAME = ".emergency-stop-prepared"
#: Every engine of a host honours this one besides its own.
HOST_FLAG = "/var/lib/zen-agents/EMERGENCY_STOP"

_PREPARED_BYTES = 4096
_PREPARED_TEXT = "set by renaming the prepared file, before more could be written"


class EmergencyFlag:
    """Reads, sets and clears the emergency stop of one state directory, and reads the host's.

    Whoever owns a flag, it counts: a stop that should not be there costs a person a command, a stop that is overlooked may
    cost the host. What cannot be told counts as set.
    """

    def __init__(self, state_dir: str | Path, *, host_flag: str | Path = HOST_FLAG) -> None:
        self._state_dir = Path(state_dir)
        self._own = self._state_dir / FLAG_NAME
        self._prepared = self._state_dir / PREPARED_NAME
        self._host_flag = Path(host_flag)
        #: The flag of this state directory and the one of the whole host.
        self.paths = str(self._own), str(self._host_flag)

    def read(self) -> str | None:
        """Return who set it, when and why; None if neither flag is there. A flag that cannot be told is set."""
        # Asked before each of thousands of files: for the engine of the whole host the two are one.
        own, host = self.paths
        return _read(own) or (_read(host) if host != own else None)

    def prepare(self) -> None:
        """Write the file whose renaming sets the flag, so that a full disk cannot prevent it; HostError if that fails."""
        content = _padded(_PREPARED_TEXT)
        with contextlib.suppress(OSError):
            if self._prepared.lstat().st_size == len(content):
                return
        try:
            descriptor = _create(self._prepared, replace=True)
            _write(descriptor, content)
            sync(self._state_dir)
        except OSError as error:
            raise HostError(
                f"the emergency stop could not be prepared in {self._state_dir}: {error.strerror}; make room there"
            ) from error

    def set(self, *, by: str, reason: str, at: datetime) -> str:
        """Set the flag of this state directory and return its text; one that is set already is left as it is.

        Works with no byte free: the prepared file is renamed first, what it says is written over it afterwards. Raises
        HostError only if neither renaming nor creating was possible.
        """
        if (present := _read(self._own)) is not None:
            return present
        text = f"set {at.isoformat(timespec='seconds')} by {_one_line(by)}: {_one_line(reason) or 'no reason given'}"
        try:
            self._raise_flag()
        except OSError as error:
            raise HostError(
                f"the emergency stop could not be written to {self._own}: {error.strerror}; kill the engine by its pid"
            ) from error
        # The flag is up; a disk that refuses its text changes nothing about that.
        with contextlib.suppress(OSError):
            _write(os.open(self._own, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), _padded(text))
        # Not together with its text: it has to outlive a power cut even if nothing could be written into it.
        with contextlib.suppress(OSError):
            sync(self._state_dir)
        return _read(self._own) or text

    def clear(self) -> tuple[str, ...]:
        """Remove both flags and prepare the next stop; return the paths removed. PermissionDeniedError if one stays."""
        removed = []
        for path in dict.fromkeys((self._own, self._host_flag)):
            try:
                path.unlink()
            except FileNotFoundError:
                # It is gone already, which is what was asked for.
                continue
            except OSError as error:
                raise PermissionDeniedError(
                    f"{path} could not be removed: {error.strerror}; remove it as its owner"
                ) from error
            removed.append(str(path))
        sync(self._state_dir)
        self.prepare()
        return tuple(removed)

    def _raise_flag(self) -> None:
        try:
            self._prepared.rename(self._own)
        except FileNotFoundError:
            os.close(_create(self._own, replace=False))


def _read(path: str | Path) -> str | None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{path} cannot be looked at ({error.strerror}), which counts as set"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is there and is not a file, which counts as set"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, _PREPARED_BYTES).decode(errors="replace")
        finally:
            os.close(descriptor)
    except OSError as error:
        return f"{path} is set and cannot be read ({error.strerror})"
    return _one_line(text) or f"{path} is set without a word"


def _create(path: Path, *, replace: bool) -> int:
    if replace:
        path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _write(descriptor: int, content: bytes) -> None:
    try:
        written = 0
        while written < len(content):
            written += os.pwrite(descriptor, content[written:], written)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _padded(text: str) -> bytes:
    """Return the text and a newline, filled with spaces to the size of the prepared file: no byte has to be allocated."""
    line = (text + "\n").encode(errors="replace")[: _PREPARED_BYTES - 1]
    return line + b" " * (_PREPARED_BYTES - 1 - len(line)) + b"\n"


def _one_line(text: str) -> str:
    # What fills the prepared file up goes first: it is most of it.
    return "".join(character if character.isprintable() else " " for character in text.strip()).strip()[:1000]
