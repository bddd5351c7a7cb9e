"""The words of an expression: names, numbers with units, operators. Everything else is refused here.

What is left is rewritten to names of our own (`n0`, `k1`, `f_avg`) and a fixed set of operators, so that the Python parser
never sees a word of the person who wrote it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import field
from math import isfinite

from pydantic_core import PydanticCustomError

from zen_agents.dataclass import dataclass
from zen_agents.errors import SettingsError
from zen_agents.model.quantities import parse_duration, parse_percent, parse_size

#: Longer expressions are refused.
LONGEST_TEXT = 1000
MOST_WORDS = 200
FUNCTIONS = ("avg", "min", "max", "rate", "slope")

_WORD = re.compile(
    r"""(?P<space>\s+)
      | (?P<percent>\d+(?:\.\d+)?\s?%)
      | (?P<quantity>(?:\d+(?:\.\d+)?[^\W\d_]+)+)
      | (?P<number>\d+(?:\.\d+)?(?![\w.]))
      | (?P<name>[^\W\d]\w*(?:[.-]\w+)*)
      | (?P<wrong>\*\*|//|&&|\|\||<>|===)
      | (?P<operator><=|>=|==|!=|[<>+\-*/(),])""",
    re.VERBOSE | re.ASCII,
)
_INSTEAD = {"&&": "and", "||": "or", "&": "and", "|": "or", "!": "not", "=": "==", "===": "==", "<>": "!="}
_LOGIC = ("and", "or", "not")
_TIME = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+", re.ASCII)


class ExpressionError(SettingsError):
    """The expression is not valid; the message says what and where."""

    def __init__(self, column: int, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        #: Offset into the expression's text, from 0.
        self.column = column
        self.message = message
        #: What to write instead at that place, "" if that is not known.
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit already applied: seconds, bytes, or per cent."""

    value: float
    is_duration: bool
    text: str


@dataclass(slots=True)
class Rewritten:
    """An expression in words of our own, and the way back to the text."""

    python: str = ""
    #: Our word -> name and target of an observation.
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    _starts: list[int] = field(default_factory=list)
    _columns: list[int] = field(default_factory=list)

    def column(self, offset: int) -> int:
        """Return the place in the person's text of an offset into `python`."""
        index = bisect_right(self._starts, offset) - 1
        return self._columns[max(0, index)] if self._columns else 0

    def add(self, word: str, column: int) -> None:
        """Append one word that began at `column`."""
        if len(self._starts) >= MOST_WORDS:
            raise ExpressionError(column, f"has more than {MOST_WORDS} words; split it into several rules")
        self._starts.append(len(self.python))
        self._columns.append(column)
        self.python += word + " "


def rewrite(text: str, resolve: Callable[[str], str | None], known: Iterable[str]) -> Rewritten:
    """Return the expression in our own words; raises ExpressionError for whatever does not belong there."""
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(LONGEST_TEXT, f"is longer than {LONGEST_TEXT} characters")
    rewritten, at = Rewritten(), 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None or match.lastgroup == "wrong":
            raise _unexpected(text, at, match[0] if match else text[at])
        kind, word = match.lastgroup, match[0]
        if kind == "name":
            word = _add_name(rewritten, word, at, text, resolve, known)
        elif kind == "operator":
            rewritten.add(word, at)
        elif kind != "space":
            _add_quantity(rewritten, word, at, kind or "")
        at += len(word)
    return rewritten


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, "" if none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for those who made a mistake

    return next(iter(get_close_matches(word, list(known), 1, 0.6)), "")


def _unexpected(text: str, at: int, word: str) -> ExpressionError:
    digits = re.match(r"[\d.]+\w*", text[at:])
    if digits:
        return ExpressionError(at, f"`{digits[0]}` is not a number like 90, 0.5, 10%, 5m or 512MiB")
    instead = _INSTEAD.get(word, "")
    hint = f"; write `{instead}`" if instead else ""
    return ExpressionError(at, f"`{word}` has no meaning here{hint}", instead)


def _add_name(
    rewritten: Rewritten, word: str, at: int, text: str, resolve: Callable[[str], str | None], known: Iterable[str]
) -> str:
    """Append the longest known name at the start of `word` and return it: a `-` may be part of a name, or a minus."""
    if word in _LOGIC:
        rewritten.add(word, at)
        return word
    parts = word.split("-")
    for count in range(len(parts), 0, -1):
        name = "-".join(parts[:count])
        if count == 1 and name in FUNCTIONS and text[at + len(name) :].lstrip().startswith("("):
            rewritten.add(f"f_{name}", at)
            return name
        target = resolve(name)
        if target is not None:
            placeholder = f"n{len(rewritten.names)}"
            rewritten.names[placeholder] = (name, target)
            rewritten.add(placeholder, at)
            return name
    raise _unknown_name(word, at, text, known)


def _unknown_name(word: str, at: int, text: str, known: Iterable[str]) -> ExpressionError:
    if word.lower() in _LOGIC:
        return ExpressionError(at, f"`{word}` is written `{word.lower()}`", word.lower())
    if text[at + len(word) :].lstrip().startswith("("):
        near = nearest(word, FUNCTIONS)
        return ExpressionError(at, f"unknown function `{word}`: one of {', '.join(FUNCTIONS)}", near)
    plain = word.split("-", 1)[0]
    candidates = list(known)
    near = nearest(word, candidates) or nearest(plain, candidates)
    hint = f"; did you mean `{near}`?" if near else ""
    return ExpressionError(at, f"unknown name `{word}`{hint}", near)


def _add_quantity(rewritten: Rewritten, word: str, at: int, kind: str) -> None:
    is_duration = kind == "quantity" and _TIME.fullmatch(word) is not None
    try:
        if kind == "number":
            value = _number(word, at)
        elif kind == "percent":
            value = parse_percent(word)
        else:
            value = parse_duration(word).total_seconds() if is_duration else float(parse_size(word))
    except PydanticCustomError as error:
        raise ExpressionError(at, f"`{word}` {error.message()}", str((error.context or {}).get("suggest", ""))) from error
    placeholder = f"k{len(rewritten.quantities)}"
    rewritten.quantities[placeholder] = Quantity(value, is_duration, word)
    rewritten.add(placeholder, at)


def _number(word: str, at: int) -> float:
    value = float(word)
    if not isfinite(value):
        raise ExpressionError(at, "is too large a number")
    return value
