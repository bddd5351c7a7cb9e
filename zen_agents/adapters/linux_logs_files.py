"""A log's file and its archives: found by their names, opened without following links, read at any place."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import subprocess
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, NamedTuple

from zen_agents.adapters.linux_view_reading import CHILD_ENVIRONMENT, GONE, check_path
from zen_agents.errors import HostError

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: What rotation puts behind a name: a number or a date; `.old`; and how it was compressed.
_ROTATED = re.compile(r"(?:[.-][0-9][0-9TZ_.:-]{0,30}|\.old)(\.gz|\.xz|\.bz2|\.zst)?")
COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
#: No file system has longer names.
_LONGEST_NAME = 255
#: So many archives of one log are looked at.
_MOST_ARCHIVES = 100
#: What a decompressor may take for itself (`xz -9` takes 65 MiB), and so much is passed over in one call to come to a place.
_MOST_MEMORY, _MOST_PASSED = 80 << 20, 64 << 20
_STEP, _BLOCK = 1 << 20, 64 << 10
#: Of what was unpacked, so much of the beginning and before the place that was read last can be read once more.
_HEAD_BYTES, _KEPT_BYTES = 256, 256
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


class LogFile:
    """An open regular file."""

    def __init__(self, path: str, descriptor: int, state: os.stat_result) -> None:
        self.path, self.state, self._descriptor = path, state, descriptor

    def read_at(self, offset: int, size: int) -> bytes:
        """Return so many bytes, fewer at the end."""
        try:
            return os.pread(self._descriptor, size, offset)
        except OSError as error:
            raise HostError(f"cannot read {self.path}: {error.strerror}") from error

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)

    def source(self) -> IO[bytes]:
        """Return it as a stream of its own, from its beginning."""
        return os.fdopen(os.dup(self._descriptor), "rb")


class Archive(NamedTuple):
    """A rotated file in the log's directory."""

    path: str
    state: os.stat_result

    @property
    def is_compressed(self) -> bool:
        """True if it takes a decompressor to read it."""
        return self.path.endswith(COMPRESSED)


def open_log(path: str) -> LogFile | None:
    """Return a regular file, open, None if there is nothing of that name; HostError if it is something else."""
    check_path(path)
    try:
        descriptor = os.open(path, FLAGS)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise HostError(f"cannot read {path}: {error.strerror}") from error
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        raise HostError(f"{path} is {_not_read(state)}")
    return LogFile(path, descriptor, state)


def _not_read(state: os.stat_result) -> str:
    if stat.S_ISFIFO(state.st_mode):
        return "a pipe and is not read: who writes to it would wait for this engine; have it write to a file"
    return "not a regular file and is not read"


def originals(name: str) -> Iterator[str]:
    """Yield the names of which rotation may have made this one: `app.log.1`, `app.log-20261127.gz`, `app-20261127.log`."""
    places = [at for at, letter in enumerate(name[:_LONGEST_NAME]) if letter in ".-" and at]
    yield from (name[:at] for at in places if _ROTATED.fullmatch(name, at))
    plain = next((name.removesuffix(kind) for kind in COMPRESSED if name.endswith(kind)), name)
    stem, dot, ending = plain.rpartition(".")
    yield from (f"{stem[:at]}.{ending}" for at in places if dot and _ROTATED.fullmatch(stem, at))


def archives_of(path: str) -> list[Archive]:
    """Return the archives of a log, the one that was written to last first; () if its directory is not there."""
    directory, _, base = path.rpartition("/")
    found = []
    try:
        with os.scandir(directory or "/") as entries:
            for entry in entries:
                if base in originals(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append(Archive(entry.path, entry.stat(follow_symlinks=False)))
    except OSError as error:
        if error.errno not in GONE:
            raise HostError(f"cannot list {directory}: {error.strerror}") from error
    found.sort(key=lambda archive: (archive.state.st_mtime_ns, archive.path), reverse=True)
    return found[:_MOST_ARCHIVES]


class Unpacked:
    """A compressed file, read forwards as if it were not; kept open between calls, it is unpacked once."""

    def __init__(self, file: LogFile) -> None:
        self.path, self.state = file.path, file.state
        self._source = file.source()
        self._stream = unpacking(self.path, self._source)
        #: What was unpacked last, and where in the file that begins.
        self._window, self._begins = b"", 0
        self._head = b""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return so many bytes, fewer at the end; HostError if it is damaged, or if that place has been passed."""
        if self._begins == 0:
            self._head = self._head or self._unpack_to(_HEAD_BYTES)[:_HEAD_BYTES]
        if offset + size <= len(self._head):
            return self._head[offset : offset + size]
        if offset < self._begins:
            raise HostError(f"{self.path} is read forwards only")
        window = self._unpack_to(offset + size)
        start = offset - self._begins
        self._forget_before(offset)
        return window[start : start + size]

    def has_come_to(self, offset: int) -> bool:
        """Pass over what is before a place, as much of it as one call may; True when there is no more to pass over."""
        self.read_at(0, 1)
        goal = min(offset, self._end + _MOST_PASSED)
        while self._end < goal:
            before = self._end
            self._unpack_to(min(goal, before + _STEP))
            self._forget_before(self._end)
            if self._end == before:
                return True
        return self._end >= offset

    def is_before(self, offset: int) -> bool:
        """Tell whether it can still be read from a place on."""
        return self._begins == 0 or offset >= self._begins + _KEPT_BYTES

    def close(self) -> None:
        """End what unpacks it."""
        self._stream.close()
        self._source.close()

    @property
    def _end(self) -> int:
        return self._begins + len(self._window)

    def _unpack_to(self, end: int) -> bytes:
        pieces, have = [self._window], self._end
        try:
            while have < end and (piece := self._stream.read(min(_STEP, end - have))):
                pieces.append(piece)
                have += len(piece)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise HostError(f"{self.path} is damaged: {error}") from error
        self._window = b"".join(pieces)
        return self._window

    def _forget_before(self, offset: int) -> None:
        surplus = offset - _KEPT_BYTES - self._begins
        if surplus > 0:
            self._window, self._begins = self._window[surplus:], self._begins + min(surplus, len(self._window))


def unpacking(path: str, source: IO[bytes]) -> io.RawIOBase | gzip.GzipFile | bz2.BZ2File:
    """Return what was compressed into a file, as the ending of its name says."""
    match path[path.rfind(".") :]:
        case ".gz":
            return gzip.GzipFile(fileobj=source)
        case ".bz2":
            return bz2.BZ2File(source)
        case ".xz":
            return _Xz(source)
        case _:
            return _Zstd(source)


class _Xz(io.RawIOBase):
    """xz with a bound on what its dictionary may take: a few bytes can demand gigabytes."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._unpacker = source, _xz_stream()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            if self._unpacker.eof:
                rest = self._unpacker.unused_data.lstrip(b"\0") or self._source.read(_BLOCK)
                if not rest:
                    return 0
                self._unpacker = _xz_stream()
            else:
                rest = self._source.read(_BLOCK) if self._unpacker.needs_input else b""
                if not rest and self._unpacker.needs_input:
                    raise EOFError("it ends in the middle")
            if piece := self._unpacker.decompress(rest, len(view)):
                view[: len(piece)] = piece
                return len(piece)


class _Zstd(io.RawIOBase):
    """zstd by its own program: this Python has no module for it."""

    def __init__(self, source: IO[bytes]) -> None:
        argv = ["zstd", "-dcq", f"--memory={_MOST_MEMORY >> 20}MB"]
        try:
            self._child = subprocess.Popen(
                argv, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=CHILD_ENVIRONMENT, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise HostError("zstd is not installed, so archives ending in .zst cannot be read; install zstd") from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        assert self._child.stdout is not None  # noqa: S101 - tells mypy what Popen(stdout=PIPE) guarantees
        view = memoryview(buffer).cast("B")
        piece = os.read(self._child.stdout.fileno(), len(view))
        view[: len(piece)] = piece
        if not piece and self._child.wait() != 0:
            raise EOFError("zstd does not unpack it")
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._child.kill()
            with self._child:
                pass
        super().close()


def _xz_stream() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MOST_MEMORY)
