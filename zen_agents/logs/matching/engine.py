"""What engines of matching have in common: the ends of lines, and the groups of a pattern by the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from zen_agents.logs.matching.base import Groups, Hit, Taken
from zen_agents.logs.matching.fields import Fields, Search
from zen_agents.logs.matching.line_ends import without_carriage_returns
from zen_agents.logs.matching.syntax import LinePattern


class LineEngine:
    """A `Matcher` but for the finding itself."""

    def __init__(self, patterns: Sequence[LinePattern], line_search: Callable[[LinePattern], Search]) -> None:
        self.patterns = patterns
        self._fields = Fields(patterns, line_search)

    def hits(self, chunk: bytes) -> Iterator[Hit]:
        return without_carriage_returns(chunk, self._hits)

    def taken(self, chunk: bytes) -> Iterator[Taken]:
        return self._fields.of_hits(chunk, self.hits(chunk))

    def groups(self, index: int, line: bytes) -> Groups | None:
        return self._fields.groups(index, line)

    def fields(self, index: int, line: bytes) -> Mapping[str, str]:
        return self._fields.of(index, line)

    def _hits(self, chunk: bytes) -> Iterator[Hit]:
        """Yield the hits of a chunk whose lines end in LF alone."""
        raise NotImplementedError
