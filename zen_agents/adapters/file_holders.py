"""Who else has a file open: asked of the kernel by a lease, or of every process where the file system has none."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from zen_agents.adapters.file_identity import names_in, proc_path
from zen_agents.errors import HostError, UnsafePathError

#: Pauses (seconds) after which whoever only glances at a file, as a monitor at a lock, has closed it again.
_GLANCES = (0.001, 0.005, 0.02)


@contextlib.contextmanager
def nobody_else_holds(place: int, path: str, *, after_glances: bool = False) -> Iterator[int]:
    """Open a held file for reading, while nobody else has it open and nobody can open it; UnsafePathError otherwise.

    A write lease is given only if no other descriptor or mapping of the file exists anywhere, in any container, and makes
    an opener wait until it is given back. Where the file system has no leases /proc is searched instead.
    `after_glances`: somebody who reads it at this very moment is waited for, for some hundredths of a second.
    """
    try:
        descriptor = os.open(proc_path(place), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"{path} cannot be opened: {error.strerror}; it is left") from error
    try:
        if not _lease(descriptor, path, _GLANCES if after_glances else ()):
            _search_holders(descriptor, path)
        yield descriptor
    finally:
        os.close(descriptor)


def somebody_writes(descriptor: int, path: str) -> bool:
    """Tell whether anybody has a file open for writing, by one that is open for reading; readers are no matter.

    A read lease is given only if nobody has. Where the file system has no leases /proc is searched, for readers as well.
    """
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return True
        try:
            _search_holders(descriptor, path)
        except UnsafePathError:
            return True
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _lease(descriptor: int, path: str, pauses: tuple[float, ...]) -> bool:
    # An opener breaks the lease by a signal; SIGURG is ignored by default, the kernel's own choice would end the engine.
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as error:
        if error.errno != errno.EAGAIN:
            return False
        if not pauses:
            raise UnsafePathError(f"{path} is held open by somebody; it is left") from error
        time.sleep(pauses[0])
        return _lease(descriptor, path, pauses[1:])
    return True


def _search_holders(descriptor: int, path: str) -> None:
    """Raise UnsafePathError if another descriptor of any process is this file, or if a process cannot be asked."""
    found = os.fstat(descriptor)
    identity, own = (found.st_dev, found.st_ino), os.getpid()
    for pid in filter(str.isdigit, names_in("/proc")):
        try:
            names = names_in(f"/proc/{pid}/fd")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended, and has nothing open
        except OSError as error:
            raise UnsafePathError(f"whether process {pid} holds {path} open cannot be told; it is left") from error
        mine = int(pid) == own
        for name in names:
            if mine and int(name) == descriptor:
                continue
            try:
                opened = Path(f"/proc/{pid}/fd/{name}").stat()
            except (FileNotFoundError, ProcessLookupError):
                continue  # closed meanwhile
            except OSError as error:
                raise UnsafePathError(f"what process {pid} holds open cannot be told; {path} is left") from error
            # An O_PATH descriptor of this process is the place it stands on, not a reader.
            if (opened.st_dev, opened.st_ino) == identity and not (mine and _is_place(int(name))):
                raise UnsafePathError(f"{path} is held open by process {pid}; it is left")


def _is_place(descriptor: int) -> bool:
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_PATH)
