"""What named groups took of a line. An engine that finds only whether a line matches is asked for no more than that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from zen_agents.logs.matching.base import Groups, Hit, Taken
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
        self._names = [pattern.groups for pattern in patterns]
        #: By pattern: what searches a short line, and what searches a long one.
        self._short: list[Search | None] = [None] * len(patterns)
        self._long: list[Search | None] = [None] * len(patterns)

    def of(self, index: int, line: bytes) -> Mapping[str, str]:
        """Return what the groups of a pattern took; see `Matcher.fields`."""
        names = self._names[index]
        taken = zip(names, self.groups(index, line) or (), strict=False) if names else ()
        return {name: text.decode("utf-8", "replace") for name, text in taken if text is not None}

    def groups(self, index: int, line: bytes) -> Groups | None:
        """Return what the groups of a pattern took; None if the line does not hold it."""
        searches = self._short if len(line) <= _SHORT else self._long
        search = searches[index]
        if search is None:
            search = searches[index] = self._search(index, is_short=searches is self._short)
        found = search(line)
        return None if found is None else found.groups()

    def of_hits(self, chunk: bytes, hits: Iterable[Hit]) -> Iterator[Taken]:
        """Yield what the groups took of the hits of a chunk; see `Matcher.taken`."""
        names, groups = self._names, self.groups
        for pattern, start, end in hits:
            line = chunk[start:end]
            yield pattern, line, (names[pattern] and groups(pattern, line)) or ()

    def _search(self, index: int, *, is_short: bool) -> Search:
        pattern = self._patterns[index]
        if is_short and is_quick(pattern.tree):
            # One that hardly goes back has a bound here, whoever wrote the line.
            return re.compile(pattern.capture.encode("ascii")).search
        return self._compiled(pattern)
