"""A file put in the place of another in one step, made beside it first; what was there goes to the quarantine (R19)."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from zen_agents.adapters.file_identity import compare, exchange_names, held_file, mount_of, plain_name, proc_path
from zen_agents.adapters.likeness import Likeness
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.errors import HostError, StalePlanError, UnsafePathError

if TYPE_CHECKING:
    from zen_agents.adapters.quarantine import Quarantine
    from zen_agents.adapters.safe_files import OpenDirectory
    from zen_agents.ports.host import FileState

#: What is replaced this way is a certificate, a key or a configuration file.
_MOST_BYTES = 1 << 20
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def stage(parent: OpenDirectory, source: str, beside: FileState) -> FileState:
    """Copy a small file beside another one, whose owner, mode and attributes it gets; return the copy."""
    with _trusted(source, beside) as content:
        staged = _staged_name(_name(beside))
        _drop_leftover(parent, staged)
        with held_file(parent.descriptor, beside, mount=mount_of(parent.descriptor), unchanged=True) as place:
            return _write_like(parent, staged, content, place)


def replace(
    parent: OpenDirectory, expected: FileState, staged: FileState, *, quarantine: Quarantine, action: str,
    go_on: Callable[[], None],
) -> str:  # fmt: skip
    """Put a staged copy in the place of a file in one step; return the quarantine's id of what was there."""
    mount = mount_of(parent.descriptor)
    with (
        held_file(parent.descriptor, expected, mount=mount, unchanged=True) as old,
        held_file(parent.descriptor, staged, mount=mount, unchanged=True),
    ):
        descriptor = os.open(proc_path(old), _READ)
        try:
            kept = quarantine.keep(descriptor, expected, action=action, go_on=go_on)
        finally:
            os.close(descriptor)
        go_on()
        _put_in_place(parent.descriptor, _name(expected), _name(staged), expected)
    os.fsync(parent.descriptor)
    return kept


def _put_in_place(directory: int, name: str, staged: str, expected: FileState) -> None:
    try:
        exchanged = exchange_names(directory, staged, name)
        if not exchanged:
            os.rename(staged, name, src_dir_fd=directory, dst_dir_fd=directory)
            return
        # Whoever replaced it between looking and this moment has their file back.
        try:
            compare(expected, os.stat(staged, dir_fd=directory, follow_symlinks=False), unchanged=False)
        except (StalePlanError, OSError):
            exchange_names(directory, staged, name)
            raise
        os.unlink(staged, dir_fd=directory)
    except OSError as error:
        raise HostError(f"{expected.path} cannot be replaced: {error.strerror}") from error


@contextlib.contextmanager
def _trusted(source: str, beside: FileState) -> Iterator[bytes]:
    """Read a small file whose writers are root, the engine, or the owner of what it is to replace (R21)."""
    try:
        descriptor = os.open(source, _READ)
    except OSError as error:
        raise HostError(f"{source} cannot be opened: {error.strerror}; nothing was done") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafePathError(f"{source} is no regular file; nothing was done")
        if found.st_uid not in (0, os.geteuid(), beside.owner) or found.st_mode & 0o022:
            mode = stat.filemode(found.st_mode)
            raise UnsafePathError(f"others may write {source} ({mode}, owner {found.st_uid}); nothing was done")
        content = os.read(descriptor, _MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise UnsafePathError(f"{source} is larger than {_MOST_BYTES} bytes; nothing was done")
        yield content
    finally:
        os.close(descriptor)


def _write_like(parent: OpenDirectory, name: str, content: bytes, place: int) -> FileState:
    path = f"{parent.path.rstrip('/')}/{name}"
    try:
        target = os.open(name, _NEW_FILE, 0o600, dir_fd=parent.descriptor)
    except OSError as error:
        raise HostError(f"{path} cannot be made: {error.strerror}; nothing was changed") from error
    try:
        _write_all(target, content)
        original = os.open(proc_path(place), _READ)
        try:
            like = Likeness.of(original)
        finally:
            os.close(original)
        like.give_to(target, path)
        os.utime(target)
        os.fsync(target)
        return file_state(path, os.fstat(target))
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=parent.descriptor)
        if isinstance(error, OSError):
            raise HostError(f"{path} cannot be written: {error.strerror}; nothing was changed") from error
        raise
    finally:
        os.close(target)


def _write_all(target: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(target, left) :]


def _drop_leftover(parent: OpenDirectory, staged: str) -> None:
    """Remove the copy of an engine that was killed before it could use it."""
    for entry in parent.entries():
        if entry.path.endswith(f"/{staged}") and entry.kind == "file":
            parent.remove(entry)


def _staged_name(name: str) -> str:
    return plain_name(f".{name}.zen-agents-new")


def _name(state: FileState) -> str:
    return plain_name(state.path.rpartition("/")[2])
