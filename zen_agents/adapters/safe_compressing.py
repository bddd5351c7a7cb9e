"""Rotated files packed beside themselves: durable and read back before the original may go. Imported when that is done."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import select
import stat
import subprocess
import zlib
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, cast

from zen_agents.adapters.file_content import is_same, pour
from zen_agents.adapters.file_identity import plain_name, rename_without_replacing
from zen_agents.adapters.likeness import Likeness
from zen_agents.adapters.linux_logs_files import unpacking
from zen_agents.adapters.linux_view_reading import CHILD_ENVIRONMENT
from zen_agents.adapters.taken_aside import MADE_HERE, private_name
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError
from zen_agents.model.units import size_in_words
from zen_agents.ports.host_files import FileState
from zen_agents.ports.log_archives import PACKED, Packing

if TYPE_CHECKING:
    from zen_agents.adapters.quarantine import Quarantine

_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: So much of a file tells how small it becomes; a part of it may be worse, and so much more room has to be there (bytes).
_SAMPLE, _SPARE = 1 << 20, 1 << 20
_WORSE = 1.25
#: What zstd may take (bytes of address space), and how often it is looked whether it has to end (seconds).
_MOST_MEMORY, _LOOK_EVERY = 256 << 20, 0.05
_DAMAGED = (OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class Compressing:
    """Packs files of one open directory. What is half done has a private name, which is removed after a crash."""

    descriptor: int
    path: str
    go_on: Callable[[], None]
    quarantine: Quarantine

    def pack(self, source: int, expected: FileState, packing: Packing) -> int:
        """Make the archive of an open file beside it, with its owner, mode and times; return its size.

        One that is there already counts if it holds the same: then an earlier run was ended before the original was gone.
        Raises HostError where there is no room, or what was written does not read back; nothing was changed then.
        """
        name = plain_name(expected.path.rpartition("/")[2] + PACKED[packing])
        if (size := self._there_already(source, name)) is not None:
            return size
        self._check_room(source, expected)
        staged, path = private_name(self.quarantine.aside.note(self.path), MADE_HERE), f"{self.path.rstrip('/')}/{name}"
        try:
            target = os.open(staged, _NEW_FILE, 0o600, dir_fd=self.descriptor)
        except OSError as error:
            self.quarantine.aside.discard(staged, self.descriptor)
            raise HostError(f"{path} cannot be made: {error.strerror}") from error
        try:
            likeness = Likeness.of(source)
            self._write(source, target, packing, likeness.modified_ns // 10**9)
            if not self._reads_back(source, target, name):
                raise HostError(f"{path} does not read back as it was; {expected.path} stays")
            likeness.give_to(target, path)
            os.fsync(target)
            rename_without_replacing(self.descriptor, staged, name, path=path)
            os.fsync(self.descriptor)
            return os.fstat(target).st_size
        except OSError as error:
            raise HostError(f"{path} cannot be written: {error.strerror}; nothing was changed") from error
        finally:
            os.close(target)
            self.quarantine.aside.discard(staged, self.descriptor)

    def _there_already(self, source: int, name: str) -> int | None:
        try:
            descriptor = os.open(name, _OLD_FILE, dir_fd=self.descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StalePlanError(f"{self.path}/{name} is there already: {error.strerror}; nothing was done") from error
        try:
            found, original = os.fstat(descriptor), os.fstat(source)
            is_ours = stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == original.st_uid
            if is_ours and self._reads_back(source, descriptor, name):
                return found.st_size
        finally:
            os.close(descriptor)
        raise StalePlanError(f"{self.path}/{name} is there already and holds something else; nothing was done")

    def _check_room(self, source: int, expected: FileState) -> None:
        """Raise HostError unless the archive will fit: a disk that ran full because of it would be the greater harm."""
        use = os.fstatvfs(self.descriptor)
        free = use.f_bavail * use.f_frsize
        # Mostly there is room for all of it as it is, and nothing need be tried out.
        if expected.size + _SPARE <= free:
            return
        sample = os.pread(source, _SAMPLE, 0)
        share = min(1.0, _WORSE * len(zlib.compress(sample, 1)) / len(sample)) if sample else 0.0
        needed = int(share * expected.size) + _SPARE
        if needed > free:
            asked = f"{expected.path} needs about {size_in_words(needed)} to be packed"
            raise HostError(f"{asked}, and {size_in_words(free)} are free; nothing was done")

    def _write(self, source: int, target: int, packing: Packing, modified: int) -> None:
        if packing == "zstd":
            self._run_zstd(source, target)
            return
        with os.fdopen(os.dup(target), "wb") as stream:
            pour(source, stream, compress=True, go_on=self.go_on, modified=modified)

    def _run_zstd(self, source: int, target: int) -> None:
        os.lseek(source, 0, os.SEEK_SET)
        try:
            child = subprocess.Popen(
                ["zstd", "-q", "-c", "--single-thread"], stdin=source, stdout=target, stderr=subprocess.DEVNULL,
                env=CHILD_ENVIRONMENT, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise HostError("zstd is not installed; install zstd, or write `compress: gzip`") from error
        with child, contextlib.ExitStack() as stack:
            try:
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(child.pid, resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
                ended = stack.enter_context(_exit_of(child))
                while child.poll() is None:
                    self.go_on()
                    ended.poll(_LOOK_EVERY * 1000)
            except BaseException:
                child.kill()
                raise
        if child.returncode:
            raise HostError(f"zstd ended with {child.returncode}; is the disk full? nothing was changed")

    def _reads_back(self, source: int, target: int, name: str) -> bool:
        os.lseek(target, 0, os.SEEK_SET)
        with os.fdopen(os.dup(target), "rb") as packed, contextlib.ExitStack() as stack:
            stream = stack.enter_context(unpacking(name, packed))
            whole = io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream
            try:
                return is_same(source, cast("IO[bytes]", whole), go_on=self.go_on)
            except _DAMAGED:
                return False


@contextlib.contextmanager
def _exit_of(child: subprocess.Popen[bytes]) -> Iterator[select.poll]:
    """Give what a thread can wait on until a child has ended: a wait of `subprocess` looks, at last every 50 ms."""
    pidfd, waiting = os.pidfd_open(child.pid), select.poll()
    try:
        waiting.register(pidfd, select.POLLIN)
        yield waiting
    finally:
        os.close(pidfd)
