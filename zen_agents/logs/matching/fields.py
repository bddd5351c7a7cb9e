"""What named groups took of a line. An engine that finds only whether a line matches is asked for no more than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from zen_agents.logs.matching.syntax import LinePattern


class Match(Protocol):
    """A match of `re` or of re2."""

    def groups(self) -> tuple[bytes | None, ...]:
        """Return what each group took, None if it took no part."""


#: Searches a line.
Search = Callable[[bytes], Match | None]


class Fields:
    """The groups of many patterns; each is compiled when it is first asked for."""

    def __init__(self, patterns: Sequence[LinePattern], compiled: Callable[[LinePattern], Search]) -> None:
        self._patterns, self._compiled = patterns, compiled
        self._searches: dict[int, Search] = {}

    def of(self, index: int, line: bytes) -> Mapping[str, str]:
        """Return what the groups of a pattern took; see `Matcher.fields`."""
        pattern = self._patterns[index]
        if not pattern.groups:
            return {}
        search = self._searches.get(index)
        if search is None:
            search = self._searches[index] = self._compiled(pattern)
        found = search(line)
        if found is None:
            return {}
        taken = zip(pattern.groups, found.groups(), strict=True)
        return {name: text.decode("utf-8", "replace") for name, text in taken if text is not None}
