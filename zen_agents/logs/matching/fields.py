"""What named groups took of a line. An engine that finds only whether a line matches is asked for no more than that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from zen_agents.logs.matching.steady import is_quick
from zen_agents.logs.matching.syntax import LinePattern


class Match(Protocol):
    """A match of `re` or of re2."""

    def groups(self) -> tuple[bytes | None, ...]:
        """Return what each group took, None if it took no part."""


#: Searches a line.
Search = Callable[[bytes], Match | None]


#: A line no longer than this (bytes) may be searched by `re`, which is five times as fast with groups as re2.
_SHORT = 1024


class Fields:
    """The groups of many patterns; each is compiled when it is first asked for."""

    def __init__(self, patterns: Sequence[LinePattern], compiled: Callable[[LinePattern], Search]) -> None:
        self._patterns, self._compiled = patterns, compiled
        #: By pattern, and by whether the line is short.
        self._searches: dict[tuple[int, bool], Search] = {}

    def of(self, index: int, line: bytes) -> Mapping[str, str]:
        """Return what the groups of a pattern took; see `Matcher.fields`."""
        pattern = self._patterns[index]
        if not pattern.groups:
            return {}
        key = (index, len(line) <= _SHORT)
        search = self._searches.get(key)
        if search is None:
            search = self._searches[key] = self._search(*key)
        found = search(line)
        if found is None:
            return {}
        taken = zip(pattern.groups, found.groups(), strict=True)
        return {name: text.decode("utf-8", "replace") for name, text in taken if text is not None}

    def _search(self, index: int, is_short: bool) -> Search:
        pattern = self._patterns[index]
        if is_short and is_quick(pattern.tree):
            # One that hardly goes back has a bound here, whoever wrote the line.
            return re.compile(pattern.capture.encode("ascii")).search
        return self._compiled(pattern)
