"""One file takes the place of another at once, and what was there is kept (R10, R19). Imported when that is done."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from zen_agents.adapters.durable_file import write_whole
from zen_agents.adapters.file_content import shares
from zen_agents.adapters.file_identity import (
    compare,
    exchange,
    held_file,
    plain_name,
    proc_path,
    rename_without_replacing,
)
from zen_agents.adapters.likeness import Likeness
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.taken_aside import MADE_HERE, mark_of, private_name
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_files import FileState

if TYPE_CHECKING:
    from zen_agents.adapters.quarantine import Quarantine

_CHUNK = 1 << 16
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Replacing:
    """Replaces files of one open directory, as `ports.host_contents.ReplacingDirectory` says."""

    descriptor: int
    path: str
    mount: int
    go_on: Callable[[], None]
    quarantine: Quarantine

    def stage(self, content: bytes, like: FileState) -> FileState:
        """Write a new file under a private name, durably, with the likeness of another; HostError if it cannot be."""
        return self._stage(lambda descriptor: write_whole(descriptor, content), like)

    def stage_from(self, source: int, like: FileState, *, sha256: str) -> FileState:
        """Do the same with all that an open file holds, however much; HostError if that is not what was expected."""

        def copy(descriptor: int) -> None:
            if not sha256 and shares(source, descriptor):
                return
            digest = hashlib.sha256()
            os.lseek(source, 0, os.SEEK_SET)
            while piece := os.read(source, _CHUNK):
                self.go_on()
                digest.update(piece)
                write_whole(descriptor, piece)
            if sha256 and digest.hexdigest() != sha256:
                raise HostError(f"what was to be put in {self.path} was changed meanwhile; nothing was changed")

        return self._stage(copy, like)

    def _stage(self, write: Callable[[int], None], like: FileState) -> FileState:
        self.go_on()
        name = private_name(self.quarantine.aside.note(self.path), MADE_HERE)
        try:
            descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=self.descriptor)
        except OSError as error:
            self.quarantine.aside.discard(name, self.descriptor)
            raise HostError(f"no file can be made in {self.path}: {error.strerror}; nothing was changed") from error
        try:
            write(descriptor)
            self._likeness(like).give_to(descriptor, self._join(name))
            # It is new: whoever watches for changes by time has to see one.
            os.utime(descriptor)
            os.fsync(descriptor)
            os.fsync(self.descriptor)
            return file_state(self._join(name), os.fstat(descriptor))
        except BaseException as error:
            self.quarantine.aside.discard(name, self.descriptor)
            if isinstance(error, OSError):
                raise HostError(f"{self.path} cannot be written: {error.strerror}; nothing was changed") from error
            raise
        finally:
            os.close(descriptor)

    def swap(self, candidate: FileState, expected: FileState | None, name: str, *, action: str) -> str:
        """Let a staged file take the place of another in one step; return the id of what was there in the quarantine."""
        self.go_on()
        staged, new = self._staged(candidate), plain_name(name)
        compare(candidate, os.stat(staged, dir_fd=self.descriptor, follow_symlinks=False), unchanged=True)
        if expected is None:
            rename_without_replacing(self.descriptor, staged, new, path=self._join(new))
            os.fsync(self.descriptor)
            self.quarantine.aside.forget(mark_of(staged))
            return ""
        with (
            held_file(self.descriptor, expected, mount=self.mount, unchanged=True) as place,
            _reading(place, expected) as descriptor,
        ):
            kept = self.quarantine.keep(descriptor, expected, action=action, go_on=self.go_on, goes=True)
            self._exchange(staged, new, expected, kept, descriptor)
        os.fsync(self.descriptor)
        self.quarantine.aside.discard(staged, self.descriptor)
        return kept

    def discard(self, candidate: FileState) -> None:
        """Remove a staged file if it still is there."""
        self.quarantine.aside.discard(self._staged(candidate), self.descriptor)

    def _exchange(self, staged: str, new: str, expected: FileState, kept: str, descriptor: int) -> None:
        try:
            exchange(self.descriptor, staged, new, path=expected.path)
            try:
                compare(expected, os.stat(staged, dir_fd=self.descriptor, follow_symlinks=False), unchanged=False)
                if self.quarantine.is_itself(kept, descriptor):
                    self.quarantine.close_off(descriptor, expected)
            except (StalePlanError, HostError):
                # Somebody was faster, or has it open: theirs gets its name back.
                exchange(self.descriptor, staged, new, path=expected.path)
                raise
        except (StalePlanError, HostError):
            self.quarantine.drop(kept)
            raise

    def _likeness(self, like: FileState) -> Likeness:
        """Return the likeness of a file, with its attributes if it is one of this directory."""
        plain = Likeness(stat.S_IMODE(like.mode), like.owner, like.group, 0, 0)
        if like.path.rpartition("/")[0] != self.path.rstrip("/"):
            return plain
        with (
            held_file(self.descriptor, like, mount=self.mount, unchanged=True) as place,
            _reading(place, like) as descriptor,
        ):
            return replace(plain, attributes=Likeness.of(descriptor).attributes)

    def _staged(self, candidate: FileState) -> str:
        """Return the name of a staged file; UnsafePathError for any other one."""
        name = plain_name(candidate.path.rpartition("/")[2])
        if candidate.path != self._join(name) or not mark_of(name):
            raise UnsafePathError(f"{candidate.path} was not staged in {self.path}; nothing was done")
        return name

    def _join(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name}"


@contextlib.contextmanager
def _reading(place: int, state: FileState) -> Iterator[int]:
    try:
        descriptor = os.open(proc_path(place), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"{state.path} cannot be opened: {error.strerror}; nothing was changed") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)
