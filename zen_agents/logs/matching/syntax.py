"""Reads a pattern as people write it, and refuses what no engine of linear time can do: with its place and the next step.

The grammar is that of Python's `re`, read by Python's own parser, so that what is tried with `re` reads the same here. That
parser has had this shape for twenty years, and tests hold us to it with each Python that is supported.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, NoReturn

from zen_agents.dataclass import dataclass
from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.matching.tree import (
    EMPTY,
    Anchor,
    Choice,
    Named,
    Node,
    OneOf,
    Repeat,
    Sequel,
    clue,
    in_sequel,
    least_width,
    literal,
    misplaced,
    size,
    takes_nothing,
    trimmed,
    written,
)  # fmt: skip

#: A longer pattern (characters), one that counts further, and one that needs more states are refused.
MOST_CHARS, MOST_REPEATS, MOST_STATES = 4096, 1000, 20_000
#: A class of more letters outside ASCII is refused.
_MOST_LETTERS = 512
_NEWLINE = 10
_LINE_BYTES: Final = frozenset(range(256)) - {_NEWLINE}
_DIGITS: Final = frozenset(b"0123456789")
_WORD: Final = _DIGITS | frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_BLANK: Final = frozenset(b"\t\v\f\r ")
_CATEGORIES: Final = {
    codes.CATEGORY_DIGIT: _DIGITS, codes.CATEGORY_NOT_DIGIT: _LINE_BYTES - _DIGITS,
    codes.CATEGORY_WORD: _WORD, codes.CATEGORY_NOT_WORD: _LINE_BYTES - _WORD,
    codes.CATEGORY_SPACE: _BLANK, codes.CATEGORY_NOT_SPACE: _LINE_BYTES - _BLANK,
}  # fmt: skip
#: What most of a pattern is: one letter of ASCII.
_SINGLES: Final = {value: OneOf(frozenset({value})) for value in range(128) if value != _NEWLINE}
#: As a number: the parser gives numbers, and an operation on an enumeration costs as much as a call.
_ANY_CASE: Final = int(re.IGNORECASE)
_ANCHORS: Final = {
    codes.AT_BEGINNING: "^", codes.AT_BEGINNING_STRING: "^", codes.AT_END: "$", codes.AT_END_STRING: "$",
    codes.AT_BOUNDARY: r"\b", codes.AT_NON_BOUNDARY: r"\B",
}  # fmt: skip
#: What is refused -> how it is called, what to do instead, and where it begins (`_place`).
_REFUSED: Final = {
    codes.ASSERT: ("looks around itself", "match the whole line, and use `where:` on its fields", r"\(\?<?="),
    codes.ASSERT_NOT: ("looks around itself", "say with `where:` what must not be there", r"\(\?<?!"),
    codes.GROUPREF: ("refers back to a group", "name both groups and compare the fields with `where:`", r"\\[1-9]|\(\?P="),
    codes.GROUPREF_EXISTS: ("depends on a group", "write the two ways as alternatives: a|b", r"\(\?\("),
    codes.ATOMIC_GROUP: ("has an atomic group", "write (?:...): nothing backtracks here", r"\(\?>"),
    codes.POSSESSIVE_REPEAT: ("has a possessive repetition", "write it without the last +: nothing backtracks here",
                              r"(?:[*+?]|\{\d*,?\d*\})\+"),
}  # fmt: skip
#: An escape, a class, or any one character: what a place is looked for between.
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LinePattern:
    """A pattern that every engine matches alike."""

    #: As it was written by a person.
    text: str
    #: What is in a line exactly when the pattern is; in the grammar all engines share, in ASCII, with `^` and `$` for lines.
    search: str
    #: What every such line has, in the same grammar, and what is found sooner; often the same. See `tree.clue`.
    clue: str
    #: The pattern in the same grammar with its named groups, which have numbers here.
    capture: str
    #: Names of its groups, in the order of their numbers.
    groups: tuple[str, ...]
    #: Bytes that every line with a match has; empty if there are none.
    literal: bytes
    #: What `capture` was written from.
    tree: Node


def line_pattern(text: str, index: int = 0) -> LinePattern:
    """Return what a person wrote as a pattern.

    Raises:
        PatternRefusedError: it is no pattern, matches every line, or cannot be matched in linear time; with this `index`.
    """
    if len(text) > MOST_CHARS:
        raise PatternRefusedError(f"is longer than {MOST_CHARS} characters", position=MOST_CHARS, index=index)
    parsed = _parsed(text, index)
    node = _Reading(text, index, parsed.state.groupdict).sequel(parsed, parsed.state.flags)
    if least_width(node) == 0:
        _refuse(text, index, "matches the empty line, and so every line", "say what has to be in the line")
    if anchor := misplaced(node):
        side = "behind" if anchor == "^" else "before"
        _refuse(text, index, f"has {anchor} {side} other text", "a line begins and ends once", re.escape(anchor))
    if size(node) > MOST_STATES:
        _refuse(text, index, "is too large once its repetitions are written out", "count less far: x{1,20}")
    sought = trimmed(node)
    return LinePattern(
        text, written(sought, fields=False), written(clue(sought), fields=False), written(node, fields=True),
        tuple(parsed.state.groupdict), literal(sought), node,
    )  # fmt: skip


def line_patterns(texts: Sequence[str]) -> tuple[LinePattern, ...]:
    """Return each text as a pattern; raises PatternRefusedError for the first that is none, with its index."""
    return tuple(line_pattern(text, index) for index, text in enumerate(texts))


def _parsed(text: str, index: int) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a grammar that Python may have one day
            return parser.parse(text, 0)
    except re.error as error:
        raise PatternRefusedError(
            f"is no pattern: {error.msg}", position=error.pos or 0, next_step="see zen-agents test pattern", index=index
        ) from None
    except (OverflowError, RecursionError):
        _refuse(text, index, "is nested or repeated too deeply", "write it in a simpler way")


def _refuse(text: str, index: int, what: str, next_step: str, place: str = "") -> NoReturn:
    raise PatternRefusedError(what, position=_place(text, place), next_step=next_step, index=index)


def _place(text: str, place: str) -> int:
    """Return where something begins, outside of classes and escapes if it is there."""
    sought = re.compile(place)
    tokens = (token.start() for token in _TOKEN.finditer(text) if place)
    found = sought.search(text)
    return next((start for start in tokens if sought.match(text, start)), found.start() if found else 0)


class _Reading:
    """Makes the tree of a pattern out of what Python's parser says."""

    def __init__(self, text: str, index: int, names: dict[str, int]) -> None:
        self._text, self._index = text, index
        self._names = {number: name for name, number in names.items()}

    def sequel(self, items: Any, flags: int) -> Node:
        return in_sequel(self._node(code, value, flags) for code, value in items)

    def _node(self, code: Any, value: Any, flags: int) -> Node:
        if code in _REFUSED:
            _refuse(self._text, self._index, *_REFUSED[code])
        if code in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN):
            return self._letters(code, value, flags)
        if code is codes.AT:
            return Anchor(_ANCHORS[value])
        if code is codes.BRANCH:
            return Choice(tuple(self.sequel(branch, flags) for branch in value[1]))
        if code is codes.SUBPATTERN:
            number, added, removed, inner = value
            part = self.sequel(inner, (flags | added) & ~removed)
            return Named(self._names[number], part) if number in self._names else part
        return self._repeat(code, value, flags)

    def _repeat(self, code: Any, value: Any, flags: int) -> Node:
        least, most, inner = value
        part = self.sequel(inner, flags)
        most = None if most is codes.MAXREPEAT else most
        if max(least, most or 0) > MOST_REPEATS:
            _refuse(
                self._text, self._index, f"repeats more than {MOST_REPEATS} times", "count less far, or use + or *", r"\{"
            )
        if most == 0 or takes_nothing(part):
            return part if least else EMPTY
        return Repeat(part, least, most, lazy=code is codes.MIN_REPEAT)

    def _letters(self, code: Any, value: Any, flags: int) -> Node:
        if code is codes.LITERAL and value in _SINGLES and not flags & _ANY_CASE:
            return _SINGLES[value]
        if code is codes.ANY:
            return OneOf(_LINE_BYTES)
        items = value if code is codes.IN else [(code, value)]
        negated = bool(items) and items[0][0] in (codes.NEGATE, codes.NOT_LITERAL)
        singles, letters = self._members(items, bool(flags & _ANY_CASE))
        if negated and letters:
            _refuse(self._text, self._index, "excludes a letter outside ASCII", "exclude ASCII alone", re.escape(letters[0]))
        found = (_LINE_BYTES - singles) if negated else singles - {_NEWLINE}
        spelled = tuple(map(_spelled, letters))
        if not found and not spelled:
            _refuse(
                self._text,
                self._index,
                "asks for a line's end inside of a line",
                "use a sequence of two patterns",
                r"\\n|\n",
            )
        if not spelled:
            return OneOf(found)
        ways = (OneOf(found), *spelled) if found else spelled
        return ways[0] if len(ways) == 1 else Choice(ways)

    def _members(self, items: Any, any_case: bool) -> tuple[frozenset[int], Sequence[str]]:
        """Return the bytes of a class, and its letters outside ASCII."""
        singles: set[int] = set()
        letters: dict[str, None] = {}
        for code, value in items:
            if code is codes.CATEGORY:
                singles |= _CATEGORIES[value]
                continue
            for point in self._points(code, value):
                for letter in _cases(chr(point)) if any_case else chr(point):
                    if letter.isascii():
                        singles.add(ord(letter))
                    else:
                        letters[letter] = None
        return frozenset(singles), list(letters)

    def _points(self, code: Any, value: Any) -> Sequence[int]:
        if code is codes.RANGE:
            low, high = value
            if high - max(low, 128) > _MOST_LETTERS:
                _refuse(self._text, self._index, f"has a class of more than {_MOST_LETTERS} letters", "name fewer", r"\[")
            return range(low, high + 1)
        return [] if code is codes.NEGATE else [value]


def _spelled(letter: str) -> Node:
    return Sequel(tuple(OneOf(frozenset({byte})) for byte in letter.encode("utf-8", "surrogatepass")))


def _cases(letter: str) -> Iterator[str]:
    yield letter
    yield from (other for other in (letter.lower(), letter.upper()) if len(other) == 1 and other != letter)
