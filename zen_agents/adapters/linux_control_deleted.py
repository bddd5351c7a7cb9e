"""Giving back the space of a deleted log that somebody still writes, under all the conditions of R19."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from zen_agents.adapters.file_identity import names_in, proc_path
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_processes import Process

_DELETED = " (deleted)"
_FLAGS = re.compile(r"^flags:\s*([0-7]+)$", re.MULTILINE)


def truncate_deleted(process: Process, descriptor: int, *, expected_path: str) -> int:
    """Truncate what a process holds under a descriptor; return the bytes that became free.

    UnsafePathError unless it is a regular file without any link left, whose last name was exactly `expected_path`, opened
    for appending (a writer that keeps an offset of its own would leave a hole and then garbage) and mapped by nobody.
    """
    link = f"/proc/{process.pid}/fd/{descriptor}"
    try:
        # O_PATH on the link in /proc stands on the very file, whatever the process does with its descriptor afterwards.
        place = os.open(link, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise StalePlanError(f"process {process.pid} holds no file {descriptor} that can be opened any more") from error
    try:
        found = os.fstat(place)
        _deleted_log(place, found, expected_path)
        _opened_for_appending(process, descriptor, expected_path)
        _mapped_by_nobody(found, expected_path)
        return _truncate(place, expected_path)
    finally:
        os.close(place)


def _deleted_log(place: int, found: os.stat_result, expected_path: str) -> None:
    name = str(Path(proc_path(place)).readlink())
    if not stat.S_ISREG(found.st_mode):
        raise UnsafePathError(f"{name} is not a regular file; it is left")
    if found.st_nlink != 0 or not name.endswith(_DELETED):
        raise UnsafePathError(f"{name} still has a name; it is rotated, not truncated here")
    if name.removesuffix(_DELETED) != expected_path:
        raise UnsafePathError(f"{name} is not {expected_path}; it is left")


def _opened_for_appending(process: Process, descriptor: int, path: str) -> None:
    try:
        text = Path(f"/proc/{process.pid}/fdinfo/{descriptor}").read_text(encoding="ascii")
    except OSError as error:
        raise HostError(f"how process {process.pid} opened {path} cannot be told; it is left") from error
    match = _FLAGS.search(text)
    flags = int(match[1], 8) if match else 0
    if not flags & os.O_APPEND or not flags & (os.O_WRONLY | os.O_RDWR):
        raise UnsafePathError(f"process {process.pid} did not open {path} for appending; restart it instead")


def _mapped_by_nobody(found: os.stat_result, path: str) -> None:
    # By inode, and by name: an overlay shows the inode of its lower file system there.
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    mapped = re.compile(rf"^\S+ \S+ \S+ (?:{device} {found.st_ino}\s|.*{re.escape(path + _DELETED)}$)", re.MULTILINE)
    private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    for pid in filter(str.isdigit, names_in("/proc")):
        try:
            maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended, and maps nothing
        except OSError as error:
            # Init maps no log, and a file that only its owner could open nobody else can have mapped.
            if pid == "1" or (private and _owner_of(pid) != found.st_uid):
                continue
            raise UnsafePathError(f"whether process {pid} has mapped {path} cannot be told; it is left") from error
        if mapped.search(maps):
            raise UnsafePathError(f"process {pid} has mapped {path} into its memory; it is left")


def _owner_of(pid: str) -> int | None:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        # It has ended, and has nothing mapped.
        return None


def _truncate(place: int, path: str) -> int:
    try:
        writer = os.open(proc_path(place), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"{path} cannot be opened for writing: {error.strerror}; nothing was done") from error
    try:
        before = os.fstat(writer)
        if before.st_nlink != 0:
            raise UnsafePathError(f"{path} has a name again; nothing was done")
        os.ftruncate(writer, 0)
        return max(0, before.st_blocks - os.fstat(writer).st_blocks) * 512
    finally:
        os.close(writer)
