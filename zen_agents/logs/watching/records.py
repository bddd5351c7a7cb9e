"""Which lines of a log are one record: a traceback counts once, wherever it was cut when it was read.

Nothing waits for the end of a record: the last one of a chunk counts at once, and is gone on with by the next chunk.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from zen_agents.dataclass import dataclass
from zen_agents.logs.joining import Joiner
from zen_agents.logs.memory import checked_number, checked_rows
from zen_agents.logs.watching.hit_lines import Line

#: How a line begins that may belong to the one above it; of all others nothing has to be looked at. A matcher finds it with
#: whatever else it seeks, which costs next to nothing.
GOES_ON: Final = (
    r"^(?:[ \t]|Traceback \(most recent|Caused by: |Suppressed: |Exception in |panic: |fatal error: |goroutine |"
    r"http: panic |[A-Za-z_$][\w$]*(?:\.[\w$]+)+(?:Exception|Error|Throwable)\b)"
)
#: What a record goes on with within so long (seconds) is read as part of it.
_OPEN_FOR: Final = 60.0
#: Files of which the last record is remembered; of more, those that were written to last.
_MOST_OPEN: Final = 64

#: Steps of patterns that a record counted for: number of the pattern, number of the step.
Counted = frozenset[tuple[int, int]]


class Record(NamedTuple):
    """Lines of a chunk that are one record, and of each pattern the first line that holds it."""

    start: int
    end: int
    matched: Mapping[int, bytes]


@dataclass(slots=True)
class OpenRecord:
    """The last record of a file, which may go on."""

    #: Its lines; or the one it has, for most are never gone on with.
    lines: Joiner | bytes
    #: When it was read last (seconds since the epoch).
    at: float
    counted: Counted = frozenset()

    @property
    def joiner(self) -> Joiner:
        """What adds to it."""
        if isinstance(self.lines, bytes):
            self.lines = _begun(self.lines)
        return self.lines


class Cut(NamedTuple):
    """How a chunk falls into records."""

    #: Where each record of several lines begins and ends; the others have one.
    spans: Sequence[tuple[int, int]]
    #: The first of them goes on with the record that was open.
    goes_on: bool
    #: Where the last record begins, and that itself; see `OpenRecord.lines`.
    last: int
    lines: Joiner | bytes


def cut(chunk: bytes, before: Joiner | None, below: Sequence[int]) -> Cut:
    """Return the records of whole lines, which come after the record that is open; `before` is changed.

    `below` is where lines begin, in order, that hold `GOES_ON`.
    """
    spans, at = list[tuple[int, int]](), 0
    if before is not None and (at := _taken(chunk, 0, before)):
        spans.append((0, at - 1))
        if at == len(chunk):
            return Cut(spans, goes_on=True, last=0, lines=before)
    goes_on, last = bool(spans), at
    lines: Joiner | bytes = b""
    while at < len(chunk) and (number := bisect_left(below, at)) < len(below):
        # A traceback belongs to the line above it, and that may name an exception of the one above that.
        at = max(at, _line_before(chunk, _line_before(chunk, below[number])))
        while True:
            end = chunk.find(b"\n", at)
            last, lines = at, (joiner := _begun(chunk[at:end]))
            at = _taken(chunk, end + 1, joiner)
            if joiner.lines > 1:
                spans.append((last, at - 1))
            if at > below[number] or at >= len(chunk):
                break
    if at < len(chunk):
        last = chunk.rfind(b"\n", 0, len(chunk) - 1) + 1
        lines = chunk[last:].rstrip(b"\n")
    return Cut(spans, goes_on, last, lines)


def joined(lines: Iterator[Line], chunk: bytes, spans: Sequence[tuple[int, int]]) -> Iterator[Record]:
    """Yield each record that has one of these lines, with what of it was matched."""
    ahead, number = next(lines, None), 0
    while ahead is not None:
        while number < len(spans) and spans[number][1] < ahead[0]:
            number += 1
        start, end = spans[number] if number < len(spans) and spans[number][0] <= ahead[0] else ahead[:2]
        matched: dict[int, bytes] = {}
        while ahead is not None and ahead[0] <= end:
            line = chunk[ahead[0] : ahead[1]]
            matched = {**dict.fromkeys(ahead[2], line), **matched}
            ahead = next(lines, None)
        yield Record(start, end, matched)


class OpenRecords:
    """The last record of each file of a source; bounded."""

    def __init__(self) -> None:
        self._records: dict[str, OpenRecord] = {}

    def of(self, path: str, now: float) -> OpenRecord | None:
        """Return the record of a file that may go on."""
        record = self._records.get(path)
        return record if record is not None and abs(now - record.at) <= _OPEN_FOR else None

    def keep(self, path: str, record: OpenRecord) -> None:
        """Remember the last record of a file."""
        self._records.pop(path, None)
        self._records[path] = record
        while len(self._records) > _MOST_OPEN:
            del self._records[next(iter(self._records))]

    def saved(self, names: Sequence[str]) -> list[list[Any]]:
        """Return them for JSON; patterns are known by their names."""
        return [
            [path, record.joiner.saved(), record.at, [[names[pattern], step] for pattern, step in sorted(record.counted)]]
            for path, record in self._records.items()
        ]

    def restore(self, saved: Any, names: Sequence[str]) -> None:
        """Take back what `saved` gave; what that cannot be is left out."""
        numbers = {name: number for number, name in enumerate(names)}
        for path, joiner, at, counted in checked_rows(saved, width=4)[-_MOST_OPEN:]:
            read_at = checked_number(at)
            if isinstance(path, str) and isinstance(joiner, Mapping) and read_at is not None:
                pairs = ((numbers.get(str(name), -1), step) for name, step in checked_rows(counted, width=2))
                known = frozenset(pair for pair in pairs if pair[0] >= 0 and isinstance(pair[1], int))
                self.keep(path, OpenRecord(Joiner.restored(joiner), read_at, known))


def _begun(line: bytes) -> Joiner:
    joiner = Joiner()
    joiner.feed(_text(line))
    return joiner


def _taken(chunk: bytes, at: int, joiner: Joiner) -> int:
    """Return where the first line begins, from a place on, that is none of an entry's."""
    while at < len(chunk):
        end = chunk.find(b"\n", at)
        end = len(chunk) if end < 0 else end
        if not joiner.takes(_text(chunk[at:end])):
            break
        at = min(len(chunk), end + 1)
    return at


def _line_before(chunk: bytes, start: int) -> int:
    return chunk.rfind(b"\n", 0, start - 1) + 1 if start > 0 else 0


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
