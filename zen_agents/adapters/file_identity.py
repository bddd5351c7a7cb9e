"""Holding on to one very file: opened without following links, compared with what was seen, changed by descriptor (R19)."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.taken_aside import private_name
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState

if TYPE_CHECKING:
    import ctypes

#: Opens nothing but a place to stand: no device wakes up, no fifo blocks, nothing is read.
_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_MOUNT_ID = re.compile(rb"^mnt_id:\s*(\d+)$", re.MULTILINE)
#: The mount stands in the third line.
_FDINFO_BYTES = 4096
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_NOT_SUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def plain_name(name: str) -> str:
    """Return a single path component; UnsafePathError for anything that could lead elsewhere."""
    if not name or name in (".", "..") or "/" in name or "\0" in name or len(os.fsencode(name)) > 255:
        raise UnsafePathError(f"{name!r} is not the plain name of a file; nothing was done")
    return name


def names_in(directory: int | str) -> list[str]:
    """Return the names in a directory, given by descriptor or path."""
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def mount_of(descriptor: int) -> int:
    """Return the id of the mount a descriptor was opened on; tells bind mounts apart, which a device number does not."""
    try:
        text = _read(f"/proc/self/fdinfo/{descriptor}")
    except OSError as error:
        raise HostError(f"the mount of an open file cannot be told: {error.strerror}; is /proc mounted here?") from error
    match = _MOUNT_ID.search(text)
    if match is None:
        raise HostError("the kernel does not say on which mount an open file is; nothing was done")
    return int(match[1])


def _read(path: str) -> bytes:
    # Asked for every file that is removed: `Path.read_text` takes longer than all the rest of a removal.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _FDINFO_BYTES)
    finally:
        os.close(descriptor)


def proc_path(descriptor: int) -> str:
    """Return a path that names exactly what a descriptor holds, whatever was renamed meanwhile."""
    return f"/proc/self/fd/{descriptor}"


@contextlib.contextmanager
def held_file(directory: int, expected: FileState, *, mount: int, unchanged: bool) -> Iterator[int]:
    """Hold the very regular file that was seen, as an O_PATH descriptor.

    Raises StalePlanError if the name now holds something else (or, with `unchanged`, if its inode changed since), and
    UnsafePathError for what is never touched: links, devices, sockets, further hard links, another mount.
    """
    place = open_place(directory, expected)
    try:
        found = os.fstat(place)
        compare(expected, found, unchanged=unchanged)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafePathError(f"{expected.path} is a {file_state('', found).kind}, not a regular file; it is left")
        if found.st_nlink != 1:
            raise UnsafePathError(f"{expected.path} has {found.st_nlink} hard links; it is left")
        if mount_of(place) != mount:
            raise UnsafePathError(f"{expected.path} is on another mount than its directory; it is left")
        yield place
    finally:
        os.close(place)


def open_place(directory: int, expected: FileState) -> int:
    """Return an O_PATH descriptor of a direct entry, not following a link; StalePlanError if it is gone."""
    try:
        return os.open(plain_name(os.path.basename(expected.path)), _PLACE, dir_fd=directory)  # noqa: PTH119
    except FileNotFoundError as error:
        raise StalePlanError(f"{expected.path} is gone; nothing was done") from error
    except OSError as error:
        raise HostError(f"{expected.path} cannot be opened: {error.strerror}; nothing was done") from error


def compare(expected: FileState, found: os.stat_result, *, unchanged: bool) -> None:
    """Raise StalePlanError unless this is the very inode that was seen, and with `unchanged` as it was seen."""
    if (found.st_dev, found.st_ino) != (expected.device, expected.inode):
        raise StalePlanError(f"{expected.path} is not the one that was seen; nothing was done")
    if unchanged and found.st_ctime != expected.changed:
        raise StalePlanError(f"{expected.path} has changed since it was seen; nothing was done")


def take_aside(directory: int, expected: FileState, mark: str) -> str:
    """Give a direct entry a private name with this mark and return that, once it is sure that the very thing seen bears it.

    There is no unlink by descriptor. A name nobody knows cannot be given to something else between looking and removing;
    what turns out to be another thing gets its name back (R19).
    """
    name, private = plain_name(os.path.basename(expected.path)), private_name(mark, expected.inode)  # noqa: PTH119
    rename_without_replacing(directory, name, private, path=expected.path)
    try:
        compare(expected, os.stat(private, dir_fd=directory, follow_symlinks=False), unchanged=False)
    except (StalePlanError, OSError):
        put_back(directory, private, name)
        raise
    return private


def put_back(directory: int, private: str, name: str) -> None:
    """Undo `take_aside`; if the name was taken meanwhile HostError says where the thing is now."""
    try:
        rename_without_replacing(directory, private, name, path=name)
    except (OSError, StalePlanError) as error:
        raise HostError(f"{name} was moved aside and now is {private} in the same directory; rename it by hand") from error


def rename_without_replacing(directory: int, old: str, new: str, *, path: str) -> None:
    """Rename within a directory in one step; StalePlanError if the new name is taken or the old one is gone."""
    try:
        if not _renamed(directory, old, new, _RENAME_NOREPLACE):
            # Old kernels and some file systems: a link never replaces either, and works for files.
            os.link(old, new, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
            os.unlink(old, dir_fd=directory)
    except FileExistsError as error:
        raise StalePlanError(f"there is already a file {new!r} beside {path}; nothing was done") from error
    except FileNotFoundError as error:
        raise StalePlanError(f"{path} is gone; nothing was done") from error
    except OSError as error:
        raise HostError(f"{path} cannot be renamed: {error.strerror}; nothing was done") from error


def exchange(directory: int, one: str, other: str, *, path: str) -> None:
    """Let two files of a directory swap their names in one step; HostError where the file system cannot, or one is gone."""
    try:
        done = exchange_names(directory, one, other)
    except OSError as error:
        raise HostError(f"{path} cannot be replaced: {error.strerror}; nothing was done") from error
    if not done:
        raise HostError(f"the file system of {path} cannot swap two names in one step; nothing was done")


@cache
def _libc() -> ctypes.CDLL:
    """Return the C library, loaded once: each loading makes classes, which are garbage in circles afterwards."""
    import ctypes  # noqa: PLC0415 - only the rare change of a file pays for it

    return ctypes.CDLL(None, use_errno=True)


def exchange_names(directory: int, one: str, other: str, *, of: int | None = None) -> bool:
    """Let two entries of a directory change names in one step; False where the file system cannot.

    With `of`, the other one is an entry of that directory instead.
    """
    return _renamed(directory, one, other, _RENAME_EXCHANGE, of)


def make_durable(directory: int) -> None:
    """Have everything that was written to a directory's file system on the disk; raises OSError."""
    import ctypes  # noqa: PLC0415 - see `_libc`

    if _libc().syncfs(directory) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _renamed(directory: int, old: str, new: str, flag: int, new_directory: int | None = None) -> bool:
    """Return False where kernel or file system do not know the flag; raises OSError."""
    import ctypes  # noqa: PLC0415 - see `_libc`

    function = getattr(_libc(), "renameat2", None)
    if function is None:
        return False
    target = directory if new_directory is None else new_directory
    if function(directory, os.fsencode(old), target, os.fsencode(new), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_SUPPORTED:
        return False
    raise OSError(number, os.strerror(number), old)
