"""Matching with the standard library alone, for where neither google-re2 nor Vectorscan can be had; much slower.

Python's `re` backtracks: a pattern could be made that takes years for one line. Such are refused (`steady.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge

from zen_agents.logs.matching.base import Groups, Hit, PatternRefusedError, Taken
from zen_agents.logs.matching.fields import Fields, Search
from zen_agents.logs.matching.line_ends import without_carriage_returns
from zen_agents.logs.matching.steady import is_steady
from zen_agents.logs.matching.syntax import LinePattern


class PlainMatcher:
    """A `Matcher` of `bytes.find` and `re`: one pattern after the other over each chunk."""

    name = "plain"

    def __init__(self, patterns: Sequence[LinePattern]) -> None:
        self.patterns = steady(patterns)
        self._finders = tuple(_Finder(index, pattern) for index, pattern in enumerate(patterns))
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
        for start, index, end in merge(*(finder.found(chunk) for finder in self._finders)):
            yield Hit(index, start, end)


class _Finder:
    """Finds the lines of one pattern: those with its literal are searched, without one all."""

    def __init__(self, index: int, pattern: LinePattern) -> None:
        self._index, self._literal = index, pattern.literal
        self._search = re.compile(pattern.search.encode("ascii"), re.MULTILINE).search

    def found(self, chunk: bytes) -> Iterator[tuple[int, int, int]]:
        at = 0
        while (at := self._next(chunk, at)) >= 0:
            start, end = chunk.rfind(b"\n", 0, at) + 1, chunk.find(b"\n", at)
            end = len(chunk) if end < 0 else end
            if not self._literal or self._search(chunk, start, end):
                yield start, self._index, end
            at = end + 1

    def _next(self, chunk: bytes, at: int) -> int:
        if self._literal:
            return chunk.find(self._literal, at)
        found = self._search(chunk, at)
        return -1 if found is None else found.start()


def steady(patterns: Sequence[LinePattern]) -> Sequence[LinePattern]:
    """Return the patterns; raises PatternRefusedError if one may be searched for years."""
    for index, pattern in enumerate(patterns):
        if not is_steady(pattern.tree):
            raise PatternRefusedError(
                "repeats what can be read in several ways", index=index,
                next_step="that may take years without google-re2: pip install google-re2",
            )  # fmt: skip
    return patterns


def line_search(pattern: LinePattern) -> Search:
    """Return what finds the groups of a pattern, which has to be `steady`."""
    return re.compile(pattern.capture.encode("ascii")).search
