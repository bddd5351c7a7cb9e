"""A log as it comes, in pieces of bounded size: plain, or packed by gzip, xz or zstd, as its first bytes say."""

from __future__ import annotations

import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

from zen_agents.logs.lines import LineSplitter

#: Bytes that are handed on at once: few enough for the CPU's cache, enough that a call costs little.
PIECE_BYTES = 128 * 1024
#: What unpacking one file may take (bytes); whoever made it chose a window of his own.
_MOST_MEMORY = 64 * 1024 * 1024
_ZSTD_WINDOW_LOG = 26


class LogStreamError(Exception):
    """A log cannot be read (on); the text says why. What came before is whole."""


def opened(path: str) -> BufferedReader[FileIO]:
    """Return a regular file, open for reading; raises LogStreamError."""
    try:
        # A pipe without a writer would keep us waiting at its opening.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise LogStreamError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LogStreamError("is no regular file")
    return BufferedReader(FileIO(descriptor), PIECE_BYTES)


def load_unpackers() -> None:
    """Load what is loaded when it is first needed, for whoever cannot reach it any more later on."""
    with suppress(LogStreamError):
        _zstd_decompressor()


def unpacked(stream: BufferedReader[Any]) -> Iterator[bytes]:
    """Yield what a stream holds; raises LogStreamError where it is damaged, ends early or cannot be unpacked here."""
    head = stream.peek(6)[:6]
    try:
        if head.startswith(b"\x1f\x8b"):
            yield from _read(gzip.GzipFile(fileobj=stream))
        elif head.startswith(b"\xfd7zXZ\0"):
            yield from _frames(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MOST_MEMORY))
        elif head.startswith(b"\x28\xb5\x2f\xfd"):
            yield from _frames(stream, _zstd_decompressor())
        else:
            yield from _read_lines(stream) if isinstance(stream.raw, FileIO) and stream.seekable() else _read(stream)
    except EOFError:
        raise LogStreamError("ends early: it is being written, or was cut off") from None
    except (OSError, zlib.error, lzma.LZMAError) as error:
        raise LogStreamError(f"is damaged: {error}") from None
    except MemoryError:
        raise LogStreamError("needs more memory to be unpacked than it gets") from None


def whole_lines(pieces: Iterable[bytes], splitter: LineSplitter) -> Iterator[bytes]:
    """Yield the whole lines of each piece, and last what has no end; of a damaged stream all that came before counts."""
    try:
        for piece in pieces:
            yield splitter.feed(piece)
    except LogStreamError:
        yield splitter.end()
        raise
    yield splitter.end()


def size_of(file: str) -> int:
    """Return the size of a file as it lies on the disk (bytes), 0 where that cannot be told: progress alone rests on it."""
    try:
        return Path(file).stat().st_size
    except (OSError, ValueError):
        return 0


def _read(stream: Any) -> Iterator[bytes]:
    # read() would wait on a pipe until a piece is full.
    while piece := stream.read1(PIECE_BYTES):
        yield piece


def _read_lines(stream: BufferedReader[FileIO]) -> Iterator[bytes]:
    """Yield pieces that end with a line, where there is one: nobody has to put the parts of one together.

    Into the same buffer: memory that is asked for anew each time costs more than the reading.
    """
    buffer, at = bytearray(PIECE_BYTES), stream.tell()
    while size := os.preadv(stream.fileno(), [buffer], at):
        whole = buffer.rfind(b"\n", 0, size) + 1 or size
        at = stream.seek(at + whole)
        yield bytes(memoryview(buffer)[:whole])


def _frames(stream: BufferedReader[Any], make: Any) -> Iterator[bytes]:
    """Yield the content of one packed frame after the other."""
    rest = b""
    while rest := rest or stream.read1(PIECE_BYTES):
        packer = make()
        while not packer.eof:
            if packer.needs_input and not rest:
                rest = stream.read1(PIECE_BYTES)
                if not rest:
                    raise EOFError
            piece = packer.decompress(rest, PIECE_BYTES)
            rest = b""
            if piece:
                yield piece
        rest = packer.unused_data.lstrip(b"\0")  # xz pads


def _zstd_decompressor() -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found]  # noqa: PLC0415 - of Python 3.14
    except ImportError:
        try:
            from backports import zstd  # noqa: PLC0415 - an extra
        except ImportError:
            raise LogStreamError("needs zstd to be unpacked: pip install 'zen-agents[zstd]'") from None
    errors = zstd.ZstdError

    class Decompressor:
        """One whose errors are those of the others."""

        def __init__(self) -> None:
            self._inner = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def decompress(self, data: bytes, most: int) -> bytes:
            try:
                found: bytes = self._inner.decompress(data, most)
            except errors as error:
                raise OSError(str(error)) from None
            return found

    return Decompressor
