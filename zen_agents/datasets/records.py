"""The records of a text, told apart by ends of lines and quotes alone: a second reader, which shares nothing with DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from zen_agents.datasets.source import SourceOptions
from zen_agents.datasets.written import MOST_LINE, FaultError

_END: Final = b"\r\n"


class Records:
    """How the records of a file are told apart: by its quotes, or none (JSON lines)."""

    def __init__(self, options: SourceOptions | None, *, most_bytes: int = MOST_LINE) -> None:
        """Take a delimiter, quote and escape that are told; None: every line is a record."""
        self._most = most_bytes
        self._quote = options.quote.encode() if options is not None else b""
        self._escape = options.escape.encode() if options is not None else b""
        self._closed = _closed(options.delimiter.encode(), self._quote, self._escape) if options is not None else None

    def batches(self, pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Yield the records of a text, each with its end, many at a time; FaultError for a quote that does not end."""
        rest, number = b"", 0
        for piece in pieces:
            whole = rest + piece
            cut = _cut(whole)
            records, open_record = self._joined(whole[:cut])
            rest = open_record + whole[cut:]
            number += len(records)
            if len(rest) > self._most:
                raise FaultError(
                    f"the row behind line {number} is longer than {self._most:,} bytes, or a quote does not end"
                )
            yield records
        records, open_record = self._joined(rest)
        yield [*records, open_record] if open_record else records

    def _joined(self, text: bytes) -> tuple[list[bytes], bytes]:
        """Return the records of whole lines, those put together that a quote joins, and what is still open at the end."""
        lines = text.splitlines(keepends=True)
        if not self._quote or self._quote not in text:
            return lines, b""
        found: list[bytes] = []
        done, begin = 0, -1  # so many lines are in `found`; the line that the open record begins with
        for at in [at for at, line in enumerate(lines) if self._quote in line]:
            if begin >= 0 and not self._is_odd(lines[at]):
                continue
            if begin < 0:
                found += lines[done:at]
                begin = done = at
            if not self._is_open(b"".join(lines[begin : at + 1])):
                found.append(b"".join(lines[begin : at + 1]))
                done, begin = at + 1, -1
        if begin >= 0:
            return found, b"".join(lines[begin:])
        return found + lines[done:], b""

    def _is_open(self, record: bytes) -> bool:
        """Tell whether a record goes on behind its last line; only an odd number of quotes is looked at closely."""
        return self._is_odd(record) and self._closed is not None and self._closed.fullmatch(record) is None

    def _is_odd(self, text: bytes) -> bool:
        if self._escape != self._quote:
            text = text.replace(self._escape * 2, b"").replace(self._escape + self._quote, b"")
        return bool(text.count(self._quote) & 1)


def is_blank(record: bytes) -> bool:
    """Tell whether there is nothing in a line."""
    return not record.strip(_END)


def body_and_end(record: bytes) -> tuple[bytes, bytes]:
    """Return a record without its end, and that."""
    body = record.rstrip(_END)
    return body, record[len(body) :]


def _cut(text: bytes) -> int:
    """Return where the last line that is surely whole ends: a CR at the very end may be half of an end."""
    return max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1


def _closed(delimiter: bytes, quote: bytes, escape: bytes) -> re.Pattern[bytes]:
    """Return what a record looks like in which every quote that opens a value is closed, others being part of a value."""
    d, q, e = map(re.escape, (delimiter, quote, escape))
    inner = rb"(?:[^%b]|%b%b)*+" % (q, q, q) if escape == quote else rb"(?:[^%b%b]|%b.)*+" % (q, e, e)
    value = rb"(?: *+%b%b%b[^%b]*+|(?! *%b)[^%b]*+)" % (q, inner, q, d, q, d)
    return re.compile(rb"%b(?:%b%b)*+[\r\n]*" % (value, d, value), re.DOTALL)
