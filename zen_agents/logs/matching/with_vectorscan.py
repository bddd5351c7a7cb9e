"""Matching with Vectorscan (the extra `fast-logs`): all patterns in one pass over the chunk, by the CPU's wide registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import hyperscan

from zen_agents.logs.matching.base import Hit, PatternRefusedError
from zen_agents.logs.matching.fields import Fields, Search
from zen_agents.logs.matching.line_ends import without_carriage_returns
from zen_agents.logs.matching.syntax import LinePattern

#: So many hits are held at once; a piece with more of them is scanned in halves.
_MOST_HELD = 20_000


class VectorscanMatcher:
    """A `Matcher` whose engine tells the end of every match while it scans, and leaves the groups to another.

    One thread at a time: the engine scans in a space of its own.
    """

    name = "vectorscan"

    def __init__(self, patterns: Sequence[LinePattern], line_search: Callable[[LinePattern], Search]) -> None:
        self.patterns = patterns
        self._database = _database(patterns)
        self._fields = Fields(patterns, line_search)

    def hits(self, chunk: bytes) -> Iterator[Hit]:
        return without_carriage_returns(chunk, self._hits)

    def fields(self, index: int, line: bytes) -> Mapping[str, str]:
        return self._fields.of(index, line)

    def _hits(self, chunk: bytes) -> Iterator[Hit]:
        pieces = [(0, chunk)]
        while pieces:
            offset, piece = pieces.pop()
            held = self._held(piece)
            if held is not None:
                yield from (Hit(index, offset + start, offset + end) for start, index, end in sorted(held))
                continue
            middle = _line_near(piece, len(piece) // 2)
            pieces += [(offset + middle, piece[middle:]), (offset, piece[:middle])]

    def _held(self, piece: bytes) -> set[tuple[int, int, int]] | None:
        """Return the lines of a piece that hold a pattern, None if they are more than are held at once."""
        held: set[tuple[int, int, int]] = set()
        since, until = [-1] * len(self.patterns), [-1] * len(self.patterns)
        rfind, find, most = piece.rfind, piece.find, max(_MOST_HELD, len(self.patterns))

        def found(index: int, _from: int, to: int, _flags: int, _context: object) -> bool:
            if since[index] < to <= until[index]:
                return False  # this pattern is known of this line
            start, end = rfind(b"\n", 0, to) + 1, find(b"\n", to)
            since[index] = start
            until[index] = end = len(piece) if end < 0 else end
            held.add((start, index, end))
            return len(held) > most

        try:
            self._database.scan(piece, found)
        except hyperscan.ScanTerminated:
            return None
        return held


def _line_near(piece: bytes, middle: int) -> int:
    """Return where a line begins, as near to the middle as may be, but not at the piece's beginning."""
    return piece.rfind(b"\n", 0, middle) + 1 or piece.find(b"\n", middle) + 1


def _database(patterns: Sequence[LinePattern]) -> hyperscan.Database:
    try:
        return _compiled(patterns)
    except hyperscan.error as error:
        # It does not say of which pattern it speaks.
        for index, pattern in enumerate(patterns):
            try:
                _compiled([pattern])
            except hyperscan.error as own:
                raise PatternRefusedError(f"is refused by Vectorscan: {own}", index=index) from None
        raise PatternRefusedError(f"is refused by Vectorscan: {error}") from None


def _compiled(patterns: Sequence[LinePattern]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    expressions = [pattern.search.encode("ascii") for pattern in patterns]
    database.compile(expressions=expressions, ids=list(range(len(expressions))), flags=hyperscan.HS_FLAG_MULTILINE)
    return database
