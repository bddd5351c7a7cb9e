"""Matching with Vectorscan (the extra `fast-logs`): all patterns in one pass over the chunk, by the CPU's wide registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import hyperscan

from zen_agents.logs.matching.base import Groups, Hit, PatternRefusedError, Taken
from zen_agents.logs.matching.engine import LineEngine
from zen_agents.logs.matching.fields import Search
from zen_agents.logs.matching.line_ends import has_carriage_returns
from zen_agents.logs.matching.syntax import LinePattern

#: So many hits are held at once; a piece with more of them is scanned in halves.
_MOST_HELD = 20_000

#: Where a line begins, the pattern, where the line ends, and what the groups took if the line was searched for that.
_Held = tuple[int, int, int, Groups | None]


class VectorscanMatcher(LineEngine):
    """A `Matcher` whose engine tells the end of every match while it scans, and leaves the groups to another.

    It is given the clues of the patterns. Where a clue is not the whole pattern, the other engine has the last word.
    One thread at a time: the engine scans in a space of its own.
    """

    name = "vectorscan"

    def __init__(self, patterns: Sequence[LinePattern], line_search: Callable[[LinePattern], Search]) -> None:
        super().__init__(patterns, line_search)
        self._database = _database(patterns)
        self._names = [pattern.groups for pattern in patterns]
        self._is_whole = [pattern.clue == pattern.search for pattern in patterns]

    def taken(self, chunk: bytes) -> Iterator[Taken]:
        chunk = chunk.replace(b"\r\n", b"\n") if has_carriage_returns(chunk) else chunk
        groups, names = self._fields.groups, self._names
        for start, index, end, known in self._found(chunk):
            line = chunk[start:end]
            yield index, line, known if known is not None else (names[index] and groups(index, line)) or ()

    def _hits(self, chunk: bytes) -> Iterator[Hit]:
        return (Hit(index, start, end) for start, index, end, _ in self._found(chunk))

    def _found(self, chunk: bytes) -> Iterable[_Held]:
        held = self._held(chunk)
        return sorted(held) if held is not None else self._found_in_halves(chunk)

    def _found_in_halves(self, chunk: bytes) -> Iterator[_Held]:
        middle = _line_near(chunk, len(chunk) // 2)
        yield from self._found(chunk[:middle])
        for start, index, end, known in self._found(chunk[middle:]):
            yield middle + start, index, middle + end, known

    def _held(self, piece: bytes) -> set[_Held] | None:
        """Return the lines of a piece that hold a pattern, None if they are more than are held at once."""
        held: set[_Held] = set()
        since, until = [-1] * len(self.patterns), [-1] * len(self.patterns)
        rfind, find, most = piece.rfind, piece.find, max(_MOST_HELD, len(self.patterns))
        is_whole, groups = self._is_whole, self._fields.groups

        def found(index: int, _from: int, to: int, _flags: int, _context: object) -> bool:
            if since[index] < to <= until[index]:
                return False  # this pattern is known of this line
            start, end = rfind(b"\n", 0, to) + 1, find(b"\n", to)
            since[index] = start
            until[index] = end = len(piece) if end < 0 else end
            known = None if is_whole[index] else groups(index, piece[start:end])
            if known is not None or is_whole[index]:
                held.add((start, index, end, known))
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
    expressions = [pattern.clue.encode("ascii") for pattern in patterns]
    database.compile(expressions=expressions, ids=list(range(len(expressions))), flags=hyperscan.HS_FLAG_MULTILINE)
    return database
