"""Copies a text and changes in it only what is to be changed: every other byte of it stays.

Rows are found by a reader that shares nothing with the one that told what is wrong with them. Of each row that is changed or
taken out both have to say the same, and of how many there are; otherwise nothing is done.
"""

from __future__ import annotations

import codecs
import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Final, Protocol

from zen_agents.dataclass import dataclass
from zen_agents.datasets.records import Records, body_and_end, is_blank
from zen_agents.datasets.repairs import UnrepairableError
from zen_agents.workers.duck import Unread

#: Nothing shorter than this is more than the end of a line.
_SHORT: Final = 3


@dataclass(frozen=True, slots=True)
class Special:
    """A row of which there is something to be done; numbers begin at 0 and leave out what is no row."""

    number: int
    #: Why it is taken out; None if it stays.
    reason: str | None
    #: Its text as the other reader has it, and the new one or what of it becomes another; None for a row that is only
    #: looked at as a twin.
    before: str | None
    after: str | None
    #: What another row has as well, if there is one.
    twin: int | None


class Rows(Protocol):
    """What a kind of text knows of its rows."""

    @property
    def counts_blank(self) -> bool:
        """Tell whether an empty line is a row."""
        ...

    def is_same(self, body: bytes, before: str) -> bool:
        """Tell whether a row in the file is the one that was read."""
        ...

    def made(self, body: bytes, after: str) -> bytes:
        """Return a row as it is to stand there, by what `Special.after` says of it; raises UnrepairableError."""
        ...

    def key(self, body: bytes) -> bytes:
        """Return what two rows have in common only if they hold the same."""
        ...


class Taken(Protocol):
    """Is given what is taken out."""

    def row(self, number: int, reason: str, body: bytes) -> None:
        """Take a row."""
        ...

    def line(self, unread: Unread, body: bytes) -> None:
        """Take what is no row."""
        ...


class Splice:
    """One text that is copied.

    So far came by: `rows`, and `lines` that are none; of both were `taken` out, of the rows `dropped` as repetitions.
    """

    def __init__(
        self, records: Records, kind: Rows, special: Iterator[Special], unread: Sequence[Unread], taken: Taken
    ) -> None:
        self._records, self._kind, self._taken_to = records, kind, taken
        self._special, self._next = special, next(special, None)
        self._unread, self._offset = list(reversed(unread)), 0
        self._seen: set[bytes] = set()
        self.rows, self.lines, self.taken, self.dropped = 0, 0, 0, 0

    def pieces(
        self, source: Iterable[bytes], *, header: bytes | None, has_header: bool, drops_mark: bool
    ) -> Iterator[bytes]:
        """Yield the new text; a `header` takes the place of the one that is there. Raises UnrepairableError."""
        awaited = has_header
        for records in self._records.batches(source):
            if not self._offset and records and records[0].startswith(codecs.BOM_UTF8):
                records[0] = records[0][len(codecs.BOM_UTF8) :]
                self._offset = len(codecs.BOM_UTF8)
                yield b"" if drops_mark else codecs.BOM_UTF8
            first = next((at for at, each in enumerate(records) if not is_blank(each)), -1) if awaited else -1
            size = sum(map(len, records))
            self._change(records, first, self._offset + size)
            if first >= 0:
                awaited = False
                records[first] = records[first] if header is None else header + body_and_end(records[first])[1]
            self._offset += size
            yield b"".join(records)
        if self._next is not None or self._unread:
            raise UnrepairableError(f"its rows end before row {self._next.number + 1 if self._next else '?'} is found")

    def _change(self, records: list[bytes], header: int, behind: int) -> None:
        lines = self._lines_among(records) if self._unread and self._unread[-1].offset < behind else {}
        rows = self._rows_among(records, {*lines, header})
        while self._next is not None and self._next.number < self.rows + len(rows):
            at = rows[self._next.number - self.rows]
            self._take_lines(records, lines, at)
            records[at] = self._changed(self._next, records[at])
            self._next = next(self._special, None)
        self._take_lines(records, lines, len(records))
        self.rows += len(rows)

    def _take_lines(self, records: list[bytes], lines: dict[int, Unread], before: int) -> None:
        """Take out what is no row, so far: what is taken out stands in the order in which it stood."""
        for at in [at for at in lines if at < before]:
            self._taken_to.line(lines.pop(at), body_and_end(records[at])[0])
            records[at] = b""
            self.lines += 1
            self.taken += 1

    def _rows_among(self, records: list[bytes], others: set[int]) -> Sequence[int]:
        """Return where in a batch its rows are; mostly that is everywhere."""
        others.discard(-1)
        has_blank = not self._kind.counts_blank and bool(records) and min(map(len, records)) < _SHORT
        if not others and not has_blank:
            return range(len(records))
        return [
            at for at, each in enumerate(records) if at not in others and (self._kind.counts_blank or not is_blank(each))
        ]

    def _lines_among(self, records: list[bytes]) -> dict[int, Unread]:
        """Return what in a batch is no row, by where it is."""
        found: dict[int, Unread] = {}
        begins = [*accumulate(map(len, records), initial=self._offset)]
        while self._unread and self._unread[-1].offset < begins[-1]:
            unread = self._unread.pop()
            at = bisect_left(begins, unread.offset)
            if begins[at] != unread.offset or not _says(records[at], unread):
                raise UnrepairableError(f"line {unread.number} is not found again where it was read")
            found[at] = unread
        return found

    def _changed(self, row: Special, record: bytes) -> bytes:
        body, end = body_and_end(record)
        if row.before is not None and not self._kind.is_same(body, row.before):
            raise UnrepairableError(f"row {row.number + 1} is not found again as it was read; its quotes may be ambiguous")
        if row.reason is not None:
            self._taken_to.row(row.number, row.reason, body)
            self.taken += 1
            return b""
        body = body if row.after is None else self._kind.made(body, row.after)
        if row.twin is not None and self._was_seen(row.twin, body):
            self.dropped += 1
            return b""
        return body + end

    def _was_seen(self, twin: int, body: bytes) -> bool:
        print_of = hashlib.blake2b(b"%d\0" % twin + self._kind.key(body), digest_size=16).digest()
        if print_of in self._seen:
            return True
        self._seen.add(print_of)
        return False


def _says(record: bytes, unread: Unread) -> bool:
    """Tell whether a line reads as it was read; of one in another encoding nobody can tell more than that it is such."""
    body = body_and_end(record)[0]
    try:
        return body.decode() == unread.text
    except UnicodeDecodeError:
        return True
