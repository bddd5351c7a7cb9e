"""The `condition` of a rule: and, or, not, parentheses, `1 of selection_*`, `all of them`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.record import LogRecord
from zen_agents.logs.sigma.refused import SigmaRefusedError


@dataclass(frozen=True, slots=True)
class Test:
    """Tells of a line whether it is meant."""

    holds: Callable[[LogRecord], bool]
    #: One of these is in every line that is meant, whatever its case; None: of none is that known.
    words: frozenset[str] | None = None

    def __call__(self, record: LogRecord) -> bool:
        """Tell it."""
        return self.holds(record)


_TOKEN: Final = re.compile(r"\s*([()|]|[^\s()|]+)")
_PLACE: Final = "detection.condition"
#: So many words a condition has at most, and so deep it is nested.
_MOST_TOKENS, _DEEPEST = 256, 32
_WORDS: Final = frozenset({"and", "or", "not", "of", "(", ")", "|", "them"})


def compiled(condition: str, selections: Mapping[str, Test]) -> Test:
    """Return what a condition says of a line; SigmaRefusedError if it says nothing. A `|` is refused: see `aggregations`."""
    tokens = _TOKEN.findall(condition)
    if not tokens or len(tokens) > _MOST_TOKENS:
        raise SigmaRefusedError(_PLACE, "is empty" if not tokens else f"has more than {_MOST_TOKENS} words")
    reading = _Reading(tokens, selections)
    test = reading.any_of(0)
    if reading.left:
        raise SigmaRefusedError(_PLACE, f"{reading.left[0]!r} is not expected there")
    return test


class _Reading:
    """Reads a condition from left to right: `or` binds least, then `and`, then `not`."""

    def __init__(self, tokens: Sequence[str], selections: Mapping[str, Test]) -> None:
        self.left, self._selections = list(tokens), selections

    def any_of(self, depth: int) -> Test:
        parts = [self._all_of(depth)]
        while self._took("or"):
            parts.append(self._all_of(depth))
        return any_of(parts)

    def _all_of(self, depth: int) -> Test:
        parts = [self._one(depth)]
        while self._took("and"):
            parts.append(self._one(depth))
        return all_of(parts)

    def _one(self, depth: int) -> Test:
        if depth > _DEEPEST:
            raise SigmaRefusedError(_PLACE, f"is nested more than {_DEEPEST} deep")
        if self._took("not"):
            part = self._one(depth + 1)
            return Test(lambda record: not part(record))
        if self._took("("):
            part = self.any_of(depth + 1)
            if not self._took(")"):
                raise SigmaRefusedError(_PLACE, "a parenthesis is not closed")
            return part
        word = self.left.pop(0) if self.left else ""
        if self._took("of"):
            return self._several(word)
        if not word or word.lower() in _WORDS or word not in self._selections:
            raise SigmaRefusedError(_PLACE, f"{word or 'nothing'!r} is no selection of this rule")
        return self._selections[word]

    def _several(self, number: str) -> Test:
        pattern = self.left.pop(0) if self.left else ""
        names = [name for name in self._selections if _is_meant(name, pattern)]
        if not pattern or not names:
            raise SigmaRefusedError(_PLACE, f"no selection of this rule is one of {pattern or 'nothing'!r}")
        parts = [self._selections[name] for name in names]
        if number.lower() == "all":
            return all_of(parts)
        if number.lower() in {"1", "any"}:
            return any_of(parts)
        raise SigmaRefusedError(_PLACE, f"{number!r} of several is neither 1, any nor all")

    def _took(self, word: str) -> bool:
        if self.left and self.left[0].lower() == word:
            del self.left[0]
            return True
        return False


def _is_meant(name: str, pattern: str) -> bool:
    # A name that begins with an underscore is only ever meant by itself.
    return not name.startswith("_") if pattern == "them" else fnmatchcase(name, pattern)


def all_of(parts: Sequence[Test]) -> Test:
    """Return what holds where all of these do."""
    if len(parts) == 1:
        return parts[0]
    known = [part.words for part in parts if part.words]
    # Every one of them has to be there: that of the longest words is in the fewest lines.
    words = max(known, key=lambda words: min(map(len, words)), default=None)
    return Test(lambda record: all(part(record) for part in parts), words)


def any_of(parts: Sequence[Test]) -> Test:
    """Return what holds where one of these does."""
    if len(parts) == 1:
        return parts[0]
    known = [part.words for part in parts if part.words is not None]
    words = frozenset[str]().union(*known) if len(known) == len(parts) else None
    return Test(lambda record: any(part(record) for part in parts), words)
