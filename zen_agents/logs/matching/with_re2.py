"""Matching with google-re2: automata, in time linear in what is read whatever the patterns are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import re2

from zen_agents.logs.matching.base import Hit, PatternRefusedError
from zen_agents.logs.matching.engine import LineEngine
from zen_agents.logs.matching.fields import Search
from zen_agents.logs.matching.syntax import LinePattern

#: What the automata of one matcher may take (bytes); more states than fit are made again and again.
_MOST_MEMORY = 32 * 1024 * 1024


class Re2Matcher(LineEngine):
    """A `Matcher` of one automaton over the chunk that says where the next hit is, and one over that line: of what."""

    name = "re2"

    def __init__(self, patterns: Sequence[LinePattern]) -> None:
        super().__init__(patterns, line_search)
        self._any, self._which = _any_of(patterns), _set_of(patterns)

    def _hits(self, chunk: bytes) -> Iterator[Hit]:
        which, end, is_through = self._which.Match, -1, False
        while not is_through:
            is_through = True
            for found in self._any.finditer(chunk, end + 1):
                at = found.start()
                if at < end:
                    # Of this line everything is known; it may have thousands of matches more.
                    is_through = False
                    break
                start, end = chunk.rfind(b"\n", 0, at) + 1, chunk.find(b"\n", at)
                end = len(chunk) if end < 0 else end
                for index in sorted(which(chunk[start:end]) or ()):
                    yield Hit(index, start, end)


def _options(*, longest: bool = False) -> re2.Options:
    options = re2.Options()
    options.longest_match = longest
    options.encoding = re2.Options.Encoding.LATIN1  # a byte is a letter
    options.max_mem = _MOST_MEMORY
    options.log_errors = False
    return options


def _any_of(patterns: Sequence[LinePattern]) -> re2._Regexp:
    # Which way of several matches does not matter here, and without an order of them there are far fewer states.
    return _compiled("|".join(f"(?:{pattern.search})" for pattern in patterns), longest=True)


def _set_of(patterns: Sequence[LinePattern]) -> re2.Set:
    found = re2.Set.SearchSet(_options())
    for index, pattern in enumerate(patterns):
        try:
            found.Add(f"(?m){pattern.search}".encode("ascii"))
        except re2.error as error:
            raise PatternRefusedError(f"is refused by re2: {_said(error)}", index=index) from None
    found.Compile()
    return found


def _compiled(text: str, *, longest: bool = False) -> re2._Regexp:
    try:
        return re2.compile(f"(?m){text}".encode("ascii"), _options(longest=longest))
    except re2.error as error:
        raise PatternRefusedError(f"is refused by re2: {_said(error)}") from None


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def line_search(pattern: LinePattern) -> Search:
    """Return what finds the groups of a pattern."""
    search: Search = _compiled(pattern.capture).search
    return search
