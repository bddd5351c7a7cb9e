"""Matching with the standard library alone, for where neither google-re2 nor Vectorscan can be had; much slower.

Python's `re` backtracks: a pattern could be made that takes years for one line. Such are refused (`steady.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from heapq import merge

from zen_agents.logs.matching.base import Hit, PatternRefusedError
from zen_agents.logs.matching.engine import LineEngine
from zen_agents.logs.matching.fields import Search
from zen_agents.logs.matching.steady import is_steady
from zen_agents.logs.matching.syntax import LinePattern


class PlainMatcher(LineEngine):
    """A `Matcher` of `bytes.find` and `re`: one pattern after the other over each chunk."""

    name = "plain"

    def __init__(self, patterns: Sequence[LinePattern]) -> None:
        super().__init__(steady(patterns), line_search)
        self._finders = tuple(_Finder(index, pattern) for index, pattern in enumerate(patterns))

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
