"""Regular expressions that people write, run so that none can hold the engine: in time that is linear in the text.

RE2 runs them, which has no look-around and no back-references. It is loaded with the first expression that needs it: one of
plain characters, dots and anchors cannot backtrack, and is left to Python's `re`, to the same effect.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Protocol, cast

#: Nothing in it repeats or chooses, and `re` takes every character of it as RE2 does.
_CANNOT_BACKTRACK = re.compile(r"\^?(?:[A-Za-z0-9_ .,:;=@/<>%~!&'\"#-]|\\\.)*\$?")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: RE2 takes this literally, and whoever writes it means it as `re` does.
_UP_TO = re.compile(r"(?<!\\)(?:\\\\)*\{(,\d+\})")
#: Bounds what one search costs (steps per character) and what one expression may hold (bytes, of which few use any).
_MOST_STEPS, _MOST_BYTES = 2000, 1 << 20
#: How RE2's own refusals begin, of what `re` would take.
_BIG = ("pattern too large", "invalid repetition size")
_LACKING = ("invalid perl operator", "invalid escape sequence", "bad repetition operator")
_WITHOUT = "do without, see: zen-agents explain ZC205"
_TOO_LARGE = "too large to be searched for in time: say it with fewer or smaller repetitions"


class Match(Protocol):
    """Where an expression was found."""

    def start(self) -> int: ...

    def end(self) -> int: ...

    def groupdict(self) -> Mapping[str, str | None]: ...


class _Engine(Protocol):
    @property
    def groupindex(self) -> Mapping[str, int]: ...

    def search(self, text: str, /) -> Match | None: ...

    def sub(self, replacement: str, text: str, /) -> str: ...


class PatternError(ValueError):
    """An expression that is none, or that cannot be run in linear time; the text says why."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        #: Where in the expression (characters).
        self.offset = offset


class Pattern:
    """A compiled expression; a search takes time linear in the text."""

    __slots__ = ("_engine",)

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine

    @property
    def names(self) -> Sequence[str]:
        """The names of its groups, as they stand in the expression."""
        numbers = self._engine.groupindex
        return sorted(numbers, key=numbers.__getitem__)

    def search(self, text: str) -> Match | None:
        """Return the first match; what is no character in `text` (an undecodable byte) counts as U+FFFD."""
        return self._engine.search(_characters(text))

    def replaced(self, text: str, mark: str) -> str:
        """Return `text` with each match replaced; without a match it comes back as it was."""
        characters = _characters(text)
        return text if self._engine.search(characters) is None else self._engine.sub(mark, characters)


@lru_cache(maxsize=256)
def compiled(expression: str) -> Pattern:
    """Return an expression ready to search with.

    Raises:
        PatternError: it is none, needs what RE2 lacks, or is too large.
    """
    if _CANNOT_BACKTRACK.fullmatch(expression):
        # Before a line's end is not the end, to RE2.
        return Pattern(re.compile(re.sub(r"\$$", r"\\Z", expression)))
    return Pattern(_linear(expression))


def _linear(expression: str) -> _Engine:
    try:
        import re2  # noqa: PLC0415  3 MB, which nobody pays who names nothing but plain names
    except ImportError:
        raise PatternError("only plain characters can be searched for without RE2: pip install google-re2") from None
    if up_to := _UP_TO.search(expression):
        raise PatternError("a repetition needs its least number: write 0 before the comma", up_to.start(1) - 1)
    options = re2.Options()
    options.max_mem, options.log_errors = _MOST_BYTES, False
    try:
        engine = re2.compile(expression, options)
    except (re2.error, ValueError) as error:
        raise _refusal(expression, error) from None
    if engine.programsize > _MOST_STEPS:
        raise PatternError(_TOO_LARGE)
    return cast(_Engine, engine)


def _refusal(expression: str, error: Exception) -> PatternError:
    """Return what is wrong, and where; in the words of `re` if that refuses it for the same reason, for it points better."""
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
    what, _, where = text.partition(": ")
    offset = max(expression.find(where), 0) if where else 0
    if what in _LACKING:
        end = " (write \\z)" if where == r"\Z" else ""
        return PatternError(f"`{where}` is not supported{end}: {_WITHOUT}", offset)
    if what.startswith(_BIG):
        return PatternError(_TOO_LARGE, offset)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(expression)
    except (re.error, ValueError, OverflowError, RecursionError) as known:
        return PatternError(str(getattr(known, "msg", known)), getattr(known, "pos", None) or 0)
    return PatternError(text, offset)


def _characters(text: str) -> str:
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
