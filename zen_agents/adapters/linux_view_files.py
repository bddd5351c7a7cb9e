"""Files, mounts and accounts, looked at without following links and without reading what is no regular file."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from zen_agents.adapters.linux_view_reading import GONE, check_path, read_regular_file, require_kernel_file
from zen_agents.errors import HostError
from zen_agents.ports.host_contents import LARGEST_CONTENT
from zen_agents.ports.host_files import FileState
from zen_agents.ports.host_resources import DiskUse, Mount

if TYPE_CHECKING:
    from zen_agents.adapters.linux_host import LinuxHost

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "fifo",
}
_OCTAL = re.compile(r"\\([0-7]{3})")
_LARGEST_ID = 2**32 - 2
#: Directories are remembered for a look as far as they have no more entries than this, all together: what a check has listed
#: is what its action plans by.
_LISTED_ENTRIES = 5_000
#: How many files that were asked for one by one are remembered as they were last.
_REMEMBERED_FILES = 20_000

#: `emergency_ro` is what kernels since 6.12 say where they found damage and let nobody write.
_READ_ONLY = frozenset({"ro", "emergency_ro"})


def file_state(path: str, found: os.stat_result) -> FileState:
    """Return what `found`, an lstat of `path`, says."""
    # Made for each file of large trees: at once, not name by name.
    mode, inode, device, links, owner, group, size = found[:7]
    return FileState(
        path, _KINDS.get(stat.S_IFMT(mode), "device"), stat.S_IMODE(mode), owner, group, size,
        found.st_mtime, found.st_ctime, found.st_atime, device, inode, links,
    )  # fmt: skip


def look_at_file(path: str) -> FileState | None:
    """Return lstat of an absolute path, None if there is nothing; HostError if that cannot be told."""
    check_path(path)
    found = _lstat(path)
    return file_state(path, found) if found is not None else None


class FileReader:
    """Looks at files one by one, and returns the very state of the look before where nothing about it has changed."""

    def __init__(self) -> None:
        #: By path. Of a file that stays as it is, making this is half of the work.
        self._last: dict[str, FileState] = {}
        #: Modes and devices, of which thousands of files have few: each is kept once.
        self._numbers: dict[int, int] = {}

    def look_at(self, path: str) -> FileState | None:
        """Return lstat of an absolute path, None if there is nothing; HostError if that cannot be told."""
        last = self._last.get(path)
        if last is None:
            check_path(path)
        found = _lstat(path)
        if found is None:
            self._last.pop(path, None)
            return None
        if last is not None and _says(last, found):
            return last
        state = self._compact(file_state(path, found))
        if len(self._last) >= _REMEMBERED_FILES:
            # Most of them are not asked for any more.
            self._last.clear()
            self._numbers.clear()
        self._last[path] = state
        return state

    def _compact(self, state: FileState) -> FileState:
        """Return an equal state that has one object for equal numbers, as it is kept: a quarter less memory."""
        one_of, changed = self._numbers.setdefault, state.changed
        return state._replace(
            mode=one_of(state.mode, state.mode),
            device=one_of(state.device, state.device),
            modified=changed if state.modified == changed else state.modified,
            accessed=changed if state.accessed == changed else state.accessed,
        )


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise HostError(f"cannot look at {path}: {error.strerror}") from error


def _says(state: FileState, found: os.stat_result) -> bool:
    """Tell whether nothing has changed, to the fraction of a second that the whole numbers of lstat leave out."""
    _, kind, mode, owner, group, size, modified, changed, accessed, device, inode, links = state
    bits = found.st_mode
    return (
        changed == found.st_ctime and accessed == found.st_atime and modified == found.st_mtime
        and (inode, device, links, owner, group, size) == found[1:7]
        and mode == stat.S_IMODE(bits) and kind == _KINDS.get(stat.S_IFMT(bits), "device")
    )  # fmt: skip


def list_directory(path: str, limit: int) -> Sequence[FileState]:
    """Return up to `limit` direct entries; those that vanish meanwhile are left out.

    Raises HostError if there is no such directory, or if it is a link.
    """
    check_path(path)
    found: list[FileState] = []
    above = path.rstrip("/")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"cannot list {path}: {error.strerror}") from error
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if len(found) >= limit:
                    break
                try:
                    found.append(file_state(f"{above}/{entry.name}", entry.stat(follow_symlinks=False)))
                except FileNotFoundError:
                    continue  # removed while the directory was read
    except OSError as error:
        raise HostError(f"cannot list {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return found


def read_text(path: str, limit: int) -> str:
    """Return up to `limit` bytes of a regular file as text; HostError if there is none."""
    found = read_regular_file(path, limit=limit)
    if found is None:
        raise HostError(f"{path} does not exist")
    return found[0].decode("utf-8", "replace")


def content(path: str) -> bytes | None:
    """Return all that a regular file holds, None if there is nothing; HostError if it is too large or no regular file."""
    found = read_regular_file(path, limit=LARGEST_CONTENT + 1)
    if found is not None and len(found[0]) > LARGEST_CONTENT:
        raise HostError(f"{path} is larger than {LARGEST_CONTENT >> 20} MiB, so it is not compared")
    return found[0] if found is not None else None


def content_end(path: str, limit: int) -> bytes | None:
    """Return the last lines of a regular file, up to `limit` bytes, None if there is nothing; HostError for other things."""
    found = read_regular_file(path, limit=limit, end=True)
    if found is None:
        return None
    said, state = found
    return said if state.st_size <= limit else said.partition(b"\n")[2]


def disk_use(path: str) -> DiskUse:
    """Return the use of the file system that holds `path`.

    The total leaves out what is reserved for root, so that total less free over total is the percentage that df prints.
    Raises HostError if it cannot be told. Blocks for as long as the file system does.
    """
    check_path(path)
    try:
        found = os.statvfs(path)
    except OSError as error:
        raise HostError(f"cannot tell the free space of {path}: {error.strerror}") from error
    usable = found.f_blocks - found.f_bfree + found.f_bavail
    usable_inodes = found.f_files - found.f_ffree + found.f_favail
    return DiskUse(usable * found.f_frsize, found.f_bavail * found.f_frsize, usable_inodes, found.f_favail)


class MountReader:
    """Reads what is mounted, and what that says only where it is not what it was at the look before."""

    def __init__(self, proc_root: str) -> None:
        self._path = f"{proc_root}/self/mountinfo"
        #: Both at once: several threads may look.
        self._last: tuple[bytes, Sequence[Mount]] = (b"", ())

    def mounts(self) -> Sequence[Mount]:
        """Return what is mounted, in the order of mounting; of several on one path the last, which is the visible one."""
        content, (last, mounts) = require_kernel_file(self._path, limit=16 << 20), self._last
        if content != last:
            mounts = parse_mounts(content.decode("utf-8", "surrogateescape"))
            self._last = content, mounts
        return mounts


def parse_mounts(text: str) -> Sequence[Mount]:
    """Return what mountinfo says, the visible mount of each path; HostError if it is not as expected."""
    mounts: dict[str, Mount] = {}
    for line in text.splitlines():
        mount = parse_mount(line)
        mounts.pop(mount.path, None)
        mounts[mount.path] = mount
    return tuple(mounts.values())


def parse_mount(line: str) -> Mount:
    """Return what one line of mountinfo says; HostError if it is not as expected."""
    fields = line.split(" ")
    try:
        # Optional fields stand before the dash, so what follows is found from there.
        dash = fields.index("-", 6)
        major, _, minor = fields[2].partition(":")
        options = {*fields[5].split(","), *fields[dash + 3].split(",")}
        return Mount(
            path=_unescape(fields[4]),
            source=_unescape(fields[dash + 2]),
            kind=fields[dash + 1],
            read_only=not _READ_ONLY.isdisjoint(options),
            device=os.makedev(int(major), int(minor)),
        )
    except (ValueError, IndexError, OverflowError) as error:
        raise HostError(f"a line of mountinfo is not as expected: {line[:120]!r}") from error


def user_id(name: str) -> int:
    """Return the uid of an account name or number; HostError if there is none."""
    return _account_id(name, "account", lambda: pwd.getpwnam(name).pw_uid)


def group_id(name: str) -> int:
    """Return the gid of a group name or number; HostError if there is none."""
    return _account_id(name, "group", lambda: grp.getgrnam(name).gr_gid)


def _account_id(name: str, what: str, look_up: Callable[[], int]) -> int:
    if name.isascii() and name.isdigit() and int(name) <= _LARGEST_ID:
        return int(name)
    try:
        return look_up()
    except (KeyError, ValueError, OSError) as error:
        raise HostError(f"there is no {what} {name!r} on this host") from error


def _unescape(text: str) -> str:
    # The bytes of a name may be any encoding; octal escapes stand for ASCII characters only.
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)


class FileLook:
    """Part of `LinuxView`: what stands in directories, and whose it is."""

    _host: LinuxHost
    _files: dict[str, FileState | None]
    _listed: dict[str, Sequence[FileState]]
    _listed_entries: int
    _users: dict[str, int]
    _groups: dict[str, int]

    def file(self, path: str) -> FileState | None:
        """Return lstat of `path`, None if there is nothing."""
        # Asked for each of thousands of files: no closure, no key beside the path.
        if path in self._files:
            return self._files[path]
        state = self._files[path] = self._host.files.look_at(path)
        return state

    def list_directory(self, path: str, *, limit: int = 100_000) -> Sequence[FileState]:
        """Return up to `limit` direct entries of a directory, without following links; many are not remembered."""
        if (known := self._listed.get(path)) is not None:
            return known if len(known) <= limit else known[:limit]
        found = list_directory(path, limit)
        # Of as many as were asked for there may be more.
        if len(found) < limit and self._listed_entries + len(found) <= _LISTED_ENTRIES:
            self._listed[path] = found
            self._listed_entries += len(found)
        return found

    def read_text(self, path: str, *, limit: int = 65536) -> str:
        """Return up to `limit` bytes of a regular file; a link is not followed. Not remembered, it may be large."""
        return read_text(path, limit)

    def user_id(self, name: str) -> int:
        """Return the uid of an account name or number; HostError if there is none."""
        if (known := self._users.get(name)) is None:
            known = self._users[name] = user_id(name)
        return known

    def group_id(self, name: str) -> int:
        """Return the gid of a group name or number; HostError if there is none."""
        if (known := self._groups.get(name)) is None:
            known = self._groups[name] = group_id(name)
        return known
