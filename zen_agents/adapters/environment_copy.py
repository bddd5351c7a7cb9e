"""A copy of an environment, by descriptors and without following a link, and whose it is before and after it is built in.

What is changed in the copy cannot change the original: nothing is shared. A run of our own is its only writer, and has ended
when the copy is given to the original's owners.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, UnsafePathError

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: How a directory is opened: itself, never what a link leads to.
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Made by whoever imports, at any time, and no part of what an environment holds.
_CACHES = "__pycache__"
#: Without it the mode's bits for the group would mean something else. Labels come from the directory above, as for all
#: that is new there, and capabilities, which are like setuid, are given on to nobody.
_ACL = "system.posix_acl_access"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the copy belongs to while it is built in; None for an engine that is no other than that."""

    uid: int
    gid: int


class Copying:
    """Copies one tree; HostError with the path where that cannot be, UnsafePathError for what no environment has."""

    def __init__(self, path: str, owner: Owner | None, go_on: Callable[[], None]) -> None:
        self._path, self._owner, self._go_on = path, owner, go_on
        self._device = -1

    def copy(self, source: int, target: int) -> None:
        """Copy what is in one open directory into another, empty one."""
        self._device = os.fstat(source).st_dev
        with _told(self._path):
            self._directory(source, target, self._path)

    def _directory(self, source: int, target: int, path: str) -> None:
        self._go_on()
        with os.scandir(source) as entries:
            for entry in entries:
                self._entry(entry, source, target, f"{path}/{entry.name}")
        found = os.fstat(source)
        self._finish(target, found)

    def _entry(self, entry: os.DirEntry[str], source: int, target: int, path: str) -> None:
        state = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(state.st_mode):
            self._file(entry.name, source, target)
        elif stat.S_ISLNK(state.st_mode):
            self._link(entry.name, state, source, target)
        elif not stat.S_ISDIR(state.st_mode):
            raise UnsafePathError(f"{path} is neither a file, a directory nor a link; nothing was done")
        elif state.st_dev != self._device:
            raise UnsafePathError(f"{path} is on another mount than {self._path}; nothing was done")
        else:
            os.mkdir(entry.name, 0o700, dir_fd=target)
            with opened(entry.name, source) as old, opened(entry.name, target) as new:
                self._directory(old, new, path)

    def _file(self, name: str, source: int, target: int) -> None:
        old = os.open(name, _OPEN, dir_fd=source)
        try:
            new = os.open(name, _NEW, 0o600, dir_fd=target)
            try:
                found = os.fstat(old)
                if not stat.S_ISREG(found.st_mode):
                    raise UnsafePathError(f"{name} became something else while it was copied; nothing was done")
                # On file systems that can, no block is copied.
                while os.copy_file_range(old, new, 1 << 30):
                    pass
                _copy_attributes(old, new)
                self._finish(new, found)
            finally:
                os.close(new)
        finally:
            os.close(old)

    def _link(self, name: str, state: os.stat_result, source: int, target: int) -> None:
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        if self._owner is not None:
            os.chown(name, self._owner.uid, self._owner.gid, dir_fd=target, follow_symlinks=False)
        os.utime(name, ns=(state.st_atime_ns, state.st_mtime_ns), dir_fd=target, follow_symlinks=False)

    def _finish(self, new: int, like: os.stat_result) -> None:
        if self._owner is not None:
            os.fchown(new, self._owner.uid, self._owner.gid)
        # Without setuid, setgid and sticky: nothing in an environment needs them.
        os.fchmod(new, like.st_mode & 0o777)
        os.utime(new, ns=(like.st_atime_ns, like.st_mtime_ns))


def _copy_attributes(old: int, new: int) -> None:
    if _ACL in os.listxattr(old):
        os.setxattr(new, _ACL, os.getxattr(old, _ACL))


def give_back_ownership(original: int, built: int, path: str) -> None:
    """Give everything in a built copy to whom the original's belongs to, and what is new to whom its directory does.

    Nobody but them may write what is new there.
    """
    with _told(path):
        _own(original, built, os.fstat(original))


def _own(original: int, built: int, parent: os.stat_result) -> None:
    with os.scandir(built) as entries:
        for entry in entries:
            was, now = _was(entry.name, original), entry.stat(follow_symlinks=False)
            like = was or parent
            if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid):
                os.chown(entry.name, like.st_uid, like.st_gid, dir_fd=built, follow_symlinks=False)
            if was is None and now.st_mode & 0o022 and not stat.S_ISLNK(now.st_mode):
                os.chmod(entry.name, now.st_mode & 0o755, dir_fd=built)
            if stat.S_ISDIR(now.st_mode):
                with _opened_if(entry.name, original, was) as old, opened(entry.name, built) as new:
                    _own(old, new, like)
    os.fchown(built, parent.st_uid, parent.st_gid)


def _was(name: str, original: int) -> os.stat_result | None:
    if original < 0:
        return None
    try:
        return os.stat(name, dir_fd=original, follow_symlinks=False)
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _opened_if(name: str, directory: int, state: os.stat_result | None) -> Iterator[int]:
    if state is None or not stat.S_ISDIR(state.st_mode):
        yield -1
        return
    with opened(name, directory) as found:
        yield found


def likeness(directory: int, path: str) -> str:
    """Return what changes when anybody installs into a tree or edits it: a digest of names, sizes and times, hex."""
    digest = hashlib.sha256()
    with _told(path):
        for line in _lines(directory, ""):
            digest.update(line)
    return digest.hexdigest()


def _lines(directory: int, above: str) -> Iterator[bytes]:
    with os.scandir(directory) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.name == _CACHES:
            continue
        state = entry.stat(follow_symlinks=False)
        path = f"{above}/{entry.name}"
        if stat.S_ISDIR(state.st_mode):
            yield os.fsencode(f"{path} {state.st_mode}\n")
            with opened(entry.name, directory) as deeper:
                yield from _lines(deeper, path)
        else:
            yield os.fsencode(f"{path} {state.st_mode} {state.st_size} {state.st_mtime_ns}\n")


@contextlib.contextmanager
def opened(name: str, directory: int) -> Iterator[int]:
    """Open a directory in an open one, without following a link."""
    descriptor = os.open(name, DIRECTORY, dir_fd=directory)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def size_of(directory: int, path: str) -> int:
    """Return how many bytes the files in a tree take."""
    with _told(path):
        return _size(directory)


def _size(directory: int) -> int:
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            state = entry.stat(follow_symlinks=False)
            total += state.st_blocks * 512
            if stat.S_ISDIR(state.st_mode):
                with opened(entry.name, directory) as deeper:
                    total += _size(deeper)
    return total


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(f"{path} cannot be copied: {error.strerror}: {error.filename or ''}".rstrip(": ")) from error
