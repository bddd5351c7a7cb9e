"""Directories reached by descriptor, and the only ways in which files in them are changed (R19, R27, R35)."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from zen_agents.adapters.file_holders import nobody_else_holds
from zen_agents.adapters.file_identity import (
    compare,
    held_file,
    mount_of,
    names_in,
    plain_name,
    proc_path,
    put_back,
    rename_without_replacing,
    take_aside,
)
from zen_agents.adapters.likeness import Likeness, set_owner_and_mode
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.taken_aside import MADE_HERE, inode_of
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState

if TYPE_CHECKING:
    from zen_agents.adapters.quarantine import Quarantine
    from zen_agents.adapters.safe_copying import Copying
    from zen_agents.adapters.safe_replacing import Replacing
    from zen_agents.ports.log_archives import Packing

log = logging.getLogger("zen_agents.safe_files")

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class OpenDirectory:
    """A `DirectoryHandle` on a real directory.

    Every change first asks `go_on`, which raises if the emergency stop is set. What is not exactly what was seen raises
    StalePlanError, what is never touched UnsafePathError, what the host refuses HostError; in each case nothing was changed.
    """

    def __init__(
        self, descriptor: int, path: str, *, mount: int, go_on: Callable[[], None], quarantine: Quarantine,
        above: OpenDirectory | None = None,
    ) -> None:  # fmt: skip
        self._descriptor, self._path, self._mount, self._above = descriptor, path, mount, above
        self._go_on, self._quarantine = go_on, quarantine
        #: Of the private names in here, once there was one.
        self._mark = ""

    @property
    def path(self) -> str:
        return self._path

    @property
    def descriptor(self) -> int:
        """The open directory, for what is moved between directories."""
        return self._descriptor

    def close(self) -> None:
        """Note that nothing in here has a private name any more; the descriptor is closed by whoever opened it."""
        if self._mark:
            self._quarantine.aside.forget(self._mark)

    def directory(self) -> FileState:
        return file_state(self._path, os.fstat(self._descriptor))

    def entries(self) -> Sequence[FileState]:
        found, above = [], self._path.rstrip("/")
        try:
            names = names_in(self._descriptor)
        except OSError as error:
            raise HostError(f"{self._path} cannot be listed: {error.strerror}") from error
        for name in names:
            try:
                state = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue  # it went away between listing and looking, and is simply no entry any more
            found.append(file_state(f"{above}/{name}", state))
        return found

    @contextlib.contextmanager
    def enter(self, name: str) -> Iterator[OpenDirectory]:
        descriptor = _open_step(self._descriptor, plain_name(name), self._join(name), _DIRECTORY)
        try:
            self._same_mount(descriptor, self._join(name))
            deeper = OpenDirectory(
                descriptor, self._join(name), mount=self._mount, go_on=self._go_on, quarantine=self._quarantine,
                above=self,
            )  # fmt: skip
            with contextlib.closing(deeper):
                yield deeper
        finally:
            os.close(descriptor)

    def is_in_place(self) -> bool:
        if self._above is None:
            return True
        try:
            named = os.stat(self._path.rpartition("/")[2], dir_fd=self._above.descriptor, follow_symlinks=False)
        except OSError:
            # Its name is not there any more, or cannot be looked at.
            return False
        held = os.fstat(self._descriptor)
        return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino) and self._above.is_in_place()

    def in_use(self, expected: FileState) -> bool:
        with self._held(expected, unchanged=False) as place:
            try:
                with nobody_else_holds(place, expected.path):
                    return False
            except (UnsafePathError, HostError):
                # Somebody holds it, or nobody can tell: then it is left alone.
                return True

    def remove(self, expected: FileState) -> None:
        self._ours(expected)
        with self._held(expected) as place, nobody_else_holds(place, expected.path):
            self._unlink(expected)

    def remove_directory(self, expected: FileState) -> None:
        self._ours(expected)
        name = self._name(expected)
        descriptor = _open_step(self._descriptor, name, expected.path, _DIRECTORY)
        try:
            compare(expected, os.fstat(descriptor), unchanged=False)
            self._same_mount(descriptor, expected.path)
            if names_in(descriptor):
                raise StalePlanError(f"{expected.path} is not empty; nothing was done")
        finally:
            os.close(descriptor)
        private = self._take_aside(expected)
        try:
            os.rmdir(private, dir_fd=self._descriptor)
        except OSError as error:
            put_back(self._descriptor, private, name)
            raise StalePlanError(f"{expected.path} cannot be removed: {error.strerror}; nothing was done") from error

    def rename(self, expected: FileState, new_name: str) -> None:
        self._ours(expected)
        name, new = self._name(expected), plain_name(new_name)
        with self._held(expected, unchanged=False):
            rename_without_replacing(self._descriptor, name, new, path=expected.path)
            try:
                compare(expected, os.stat(new, dir_fd=self._descriptor, follow_symlinks=False), unchanged=False)
            except (StalePlanError, OSError):
                put_back(self._descriptor, new, name)
                raise
        os.fsync(self._descriptor)

    def create_directory(self, name: str, *, mode: int, owner: int, group: int) -> None:
        self._go_on()
        path = self._join(name)
        try:
            os.mkdir(plain_name(name), 0o700, dir_fd=self._descriptor)
        except FileExistsError as error:
            raise StalePlanError(f"{path} is there already; nothing was done") from error
        except OSError as error:
            raise HostError(f"{path} cannot be made: {error.strerror}") from error
        descriptor = _open_step(self._descriptor, name, path, _DIRECTORY)
        try:
            made = os.fstat(descriptor)
            if made.st_uid != os.geteuid() or names_in(descriptor):
                raise StalePlanError(f"{path} is not the directory that was just made; look who else works there")
            set_owner_and_mode(descriptor, path, mode=mode, owner=owner, group=group)
            os.fsync(self._descriptor)
        finally:
            os.close(descriptor)

    def set_mode_and_owner(self, expected: FileState, *, mode: int | None, owner: int | None, group: int | None) -> None:
        self._ours(expected)
        if expected.kind == "directory":
            descriptor = _open_step(self._descriptor, self._name(expected), expected.path, _STEP)
            try:
                compare(expected, os.fstat(descriptor), unchanged=True)
                self._same_mount(descriptor, expected.path)
                set_owner_and_mode(descriptor, expected.path, mode=mode, owner=owner, group=group)
            finally:
                os.close(descriptor)
            return
        with self._held(expected) as place:
            set_owner_and_mode(place, expected.path, mode=mode, owner=owner, group=group)

    def truncate(self, expected: FileState, *, to: int = 0) -> None:
        self._ours(expected)
        with self._held(expected, unchanged=False) as place:
            try:
                descriptor = os.open(proc_path(place), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise HostError(f"{expected.path} cannot be written: {error.strerror}; nothing was done") from error
            try:
                os.ftruncate(descriptor, to)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def copy_out(self, expected: FileState, new_name: str, *, compress: bool = False) -> int:
        self._ours(expected)
        with self._held(expected, unchanged=False) as place:
            descriptor = os.open(proc_path(place), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return self._copying().copy(descriptor, new_name, compress=compress, like=Likeness.of(descriptor))
            finally:
                os.close(descriptor)

    def compress(self, expected: FileState, packing: Packing = "gzip") -> int:
        from zen_agents.adapters.safe_compressing import Compressing  # noqa: PLC0415 - only what packs pays for it

        self._ours(expected)
        compressing = Compressing(self._descriptor, self._path, self._go_on, self._quarantine)
        with self._held(expected) as place, nobody_else_holds(place, expected.path) as descriptor:
            size = compressing.pack(descriptor, expected, packing)
            self._unlink(expected)
        return size

    def quarantine(self, expected: FileState, *, action: str) -> str:
        self._ours(expected)
        with self._held(expected) as place, nobody_else_holds(place, expected.path, after_glances=True) as descriptor:
            id = self._quarantine.keep(descriptor, expected, action=action, go_on=self._go_on)
            self._unlink(expected)
        return id

    def give_back(self, id: str, name: str) -> FileState:
        """Put a file of the quarantine back under a name that must be free, never with setuid, setgid or more (R31)."""
        self._go_on()
        new_name = plain_name(name)
        with self._quarantine.opened(id) as (descriptor, kept):
            self._copying().copy(descriptor, new_name, compress=False, like=kept.likeness)
        return file_state(self._join(name), os.stat(new_name, dir_fd=self._descriptor, follow_symlinks=False))

    def stage(self, content: bytes, like: FileState) -> FileState:
        return self._replacing().stage(content, like)

    def stage_from(self, source: int, like: FileState, *, sha256: str) -> FileState:
        """Stage all that an open file holds, as `stage` does; "" is any content."""
        return self._replacing().stage_from(source, like, sha256=sha256)

    def take_in(self, source: int, name: str, like: FileState) -> FileState:
        """Copy an open file into a new one that gets mode and owner of another, durably and at once, as a whole.

        StalePlanError if the name is taken.
        """
        staged = self.stage_from(source, like, sha256="")
        try:
            self.swap(staged, None, name, action="")
        except BaseException:
            self.discard(staged)
            raise
        return file_state(self._join(name), os.stat(name, dir_fd=self._descriptor, follow_symlinks=False))

    @contextlib.contextmanager
    def reading(self, expected: FileState) -> Iterator[int]:
        """Open the very file that was seen, for reading."""
        with self._held(expected) as place:
            descriptor = os.open(proc_path(place), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def swap(self, candidate: FileState, expected: FileState | None, name: str, *, action: str) -> str:
        return self._replacing().swap(candidate, expected, name, action=action)

    def discard(self, candidate: FileState) -> None:
        self._replacing().discard(candidate)

    # -- below: how ---------------------------------------------------------------------------------------------------

    def _replacing(self) -> Replacing:
        from zen_agents.adapters.safe_replacing import Replacing  # noqa: PLC0415 - only what replaces files pays for it

        return Replacing(self._descriptor, self._path, self._mount, self._go_on, self._quarantine)

    def _copying(self) -> Copying:
        from zen_agents.adapters.safe_copying import Copying  # noqa: PLC0415 - only what copies files pays for it

        return Copying(self._descriptor, self._path, self._go_on, self._unlink)

    def _unlink(self, expected: FileState) -> None:
        private = self._take_aside(expected)
        try:
            os.unlink(private, dir_fd=self._descriptor)
        except OSError as error:
            put_back(self._descriptor, private, self._name(expected))
            raise HostError(f"{expected.path} cannot be removed: {error.strerror}") from error

    def _take_aside(self, expected: FileState) -> str:
        self._mark = self._mark or self._quarantine.aside.note(self._path)
        return take_aside(self._descriptor, expected, self._mark)

    def remove_left_aside(self, mark: str) -> None:
        """Remove what an engine that was killed had given a private name with this mark, and nothing else."""
        for name in names_in(self._descriptor):
            inode = inode_of(name, mark)
            if inode is None:
                continue
            state = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if inode not in (state.st_ino, MADE_HERE):
                # It died before it could see that this is another thing than it meant.
                log.warning("%s was given that name by mistake; rename it by hand", self._join(name))
                continue
            (os.rmdir if stat.S_ISDIR(state.st_mode) else os.unlink)(name, dir_fd=self._descriptor)
            log.info("removed %s, which an engine that was killed had left", self._join(name))

    def _held(self, expected: FileState, *, unchanged: bool = True) -> contextlib.AbstractContextManager[int]:
        return held_file(self._descriptor, expected, mount=self._mount, unchanged=unchanged)

    def _ours(self, expected: FileState) -> None:
        self._go_on()
        if self._join(self._name(expected)) != expected.path:
            raise UnsafePathError(f"{expected.path} is not in {self._path}; nothing was done")

    def _name(self, expected: FileState) -> str:
        return plain_name(expected.path.rpartition("/")[2])

    def _join(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    def _same_mount(self, descriptor: int, path: str) -> None:
        if mount_of(descriptor) != self._mount:
            raise UnsafePathError(f"{path} is on another mount than {self._path}; it is left")


@contextlib.contextmanager
def open_directory(path: str, *, go_on: Callable[[], None], quarantine: Quarantine) -> Iterator[OpenDirectory]:
    """Open an absolute directory component by component, following no link; UnsafePathError says which one is a link."""
    if not path.startswith("/"):
        raise UnsafePathError(f"{path!r} is not an absolute path; nothing was done")
    descriptor, so_far = os.open("/", _STEP), ""
    try:
        for name in [part for part in path.split("/") if part]:
            so_far += f"/{plain_name(name)}"
            deeper = _open_step(descriptor, name, so_far, _STEP)
            os.close(descriptor)
            descriptor = deeper
        readable = _open_step(descriptor, ".", so_far or "/", _DIRECTORY)
    finally:
        os.close(descriptor)
    try:
        opened = OpenDirectory(readable, so_far or "/", mount=mount_of(readable), go_on=go_on, quarantine=quarantine)
        with contextlib.closing(opened):
            yield opened
    finally:
        os.close(readable)


def tidy(quarantine: Quarantine) -> None:
    """Finish what an engine that was killed left under private names; call it before anything else is changed.

    What cannot be reached any more is left and told in the log.
    """
    for mark, path in quarantine.aside.notes():
        try:
            with open_directory(path, go_on=lambda: None, quarantine=quarantine) as directory:
                directory.remove_left_aside(mark)
        except (StalePlanError, UnsafePathError, HostError, OSError) as error:
            log.warning("what was being removed in %s is not tidied: %s", path, error)
        quarantine.aside.forget(mark)


def _open_step(directory: int, name: str, path: str, flags: int) -> int:
    try:
        return os.open(name, flags, dir_fd=directory)
    except FileNotFoundError as error:
        raise StalePlanError(f"{path} is not there; nothing was done") from error
    except NotADirectoryError as error:
        raise UnsafePathError(f"{path} is a link or no directory; write the real path in the configuration") from error
    except OSError as error:
        raise HostError(f"{path} cannot be opened: {error.strerror}; nothing was done") from error
