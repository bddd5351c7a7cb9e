r"""Bytes to whole lines, whatever the bytes are: the one place where a log is cut.

What comes out is valid UTF-8 in lines that each end with `\n`, which matchers can take as they are. It does not depend on
where the bytes were cut when they were read. A line longer than the limit is given with its beginning only; the rest of it
is dropped up to the next newline, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from zen_agents.dataclass import dataclass
from zen_agents.errors import LogEncodingError

#: Bytes of a line that are kept. journald keeps 48 KiB of a line, rsyslog 8 KiB.
LONGEST_LINE = 64 << 10
#: So many bytes of a file's beginning tell its encoding.
TELLING_BYTES = 512
#: Of the bytes that would be zero in UTF-16, so many have to be.
_MOSTLY = 0.8

_BOM_UTF8 = b"\xef\xbb\xbf"
#: The longer ones first: that of UTF-32 begins like that of UTF-16.
_BOMS = ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))
_NOT_NUL = re.compile(rb"[^\0]")


@dataclass(frozen=True, slots=True)
class Cut:
    """What came of a chunk of bytes."""

    #: Whole lines, each ending with a newline: valid UTF-8, without NUL, byte-order marks and carriage returns at its ends.
    lines: bytes
    #: So many bytes of the chunk are through; the others begin a line, and are to be given again with the rest of it.
    used: int
    #: The chunk ended within a line of which the beginning was given: what follows it is to be cut with this.
    within: bool
    #: Lines of which only the beginning was given, and bytes that were dropped of such lines.
    shortened: int
    dropped: int


def cut(chunk: bytes, *, within: bool = False, last: bool = False, longest: int = LONGEST_LINE) -> Cut:
    """Return the whole lines of a chunk; with `last`, what follows the last newline is a line as well.

    Whoever calls again gives what was not used, and more: at most `longest` bytes are ever left over.
    """
    begin = _end_of_line(chunk, 0) if within else 0
    dropped, shortened, at, open_line = begin, 0, min(begin + within, len(chunk)), within and begin == len(chunk)
    pieces = []
    for start, end in _overlong(chunk, at, longest):
        pieces += [chunk[at : start + longest], b"\n"]
        at, dropped, shortened = min(end + 1, len(chunk)), dropped + end - start - longest, shortened + 1
        open_line = end == len(chunk)
    whole = max(at, chunk.rfind(b"\n") + 1)
    pieces.append(chunk[at:whole])
    rest = chunk[whole:].lstrip(b"\0")
    if last and rest:
        pieces += [rest, b"\n"]
        rest = b""
    return Cut(_clean(b"".join(pieces)), len(chunk) - len(rest), open_line and not last, shortened, dropped)


class LineSplitter:
    """Cuts a stream that comes in chunks of any size: a pipe, or what a decompressor gives. Keeps at most a line of it."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest, self._rest, self._within, self._begun = longest, b"", False, False
        #: Lines of which only the beginning was given, and bytes that were dropped of them.
        self.shortened = self.dropped = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the lines that are whole with this chunk; LogEncodingError if the stream is no UTF-8 text."""
        if not self._begun and chunk:
            refuse_encoding(chunk)
            self._begun = True
        return self._cut(chunk, last=False)

    def end(self) -> bytes:
        """Return what is left as a line; the stream has ended."""
        return self._cut(b"", last=True)

    def _cut(self, chunk: bytes, *, last: bool) -> bytes:
        chunk = self._rest + chunk
        found = cut(chunk, within=self._within, last=last, longest=self._longest)
        self._rest, self._within = chunk[found.used :], found.within
        self.shortened += found.shortened
        self.dropped += found.dropped
        return found.lines


def refuse_encoding(beginning: bytes) -> None:
    """Raise LogEncodingError if what a file or stream begins with is UTF-16 or UTF-32, which no pattern would match."""
    for mark, name in _BOMS:
        if beginning.startswith(mark):
            raise LogEncodingError(f"it is written in {name}; have it written in UTF-8, or convert it with iconv")
    head = beginning[:TELLING_BYTES]
    for zeros, others in ((head[1::2], head[::2]), (head[::2], head[1::2])):
        if len(zeros) > 1 and zeros.count(0) >= _MOSTLY * len(zeros) and not others.count(0):
            raise LogEncodingError("it looks like UTF-16; have it written in UTF-8, or convert it with iconv")


def _overlong(chunk: bytes, at: int, longest: int) -> Iterator[tuple[int, int]]:
    """Yield where each line beyond the limit begins and ends, in as few steps as the limit fits into the chunk.

    A hole of NULs is no part of the line after it: whoever writes on into a file that was truncated leaves one there.
    """
    while len(chunk) - at > longest:
        newline = chunk.rfind(b"\n", at, at + longest + 1)
        if newline >= 0:
            at = newline + 1
        elif chunk[at] == 0:
            text = _NOT_NUL.search(chunk, at)
            at = text.start() if text else len(chunk)
        else:
            end = _end_of_line(chunk, at)
            yield at, end
            at = end + 1


def _end_of_line(chunk: bytes, at: int) -> int:
    newline = chunk.find(b"\n", at)
    return newline if newline >= 0 else len(chunk)


def _clean(lines: bytes) -> bytes:
    """Return valid UTF-8; each test is far cheaper than the copy that it mostly saves."""
    if b"\0" in lines:
        lines = lines.replace(b"\0", b"")
    if b"\r" in lines:
        lines = lines.replace(b"\r\n", b"\n")
    if not lines.isascii():
        lines = lines.replace(b"\n" + _BOM_UTF8, b"\n").removeprefix(_BOM_UTF8)
        try:
            lines.decode()
        except UnicodeDecodeError:
            lines = lines.decode("utf-8", "replace").encode()
    return lines
