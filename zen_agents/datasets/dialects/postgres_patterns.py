"""Regular expressions of RE2, which contracts are written in, as PostgreSQL writes them.

The two mean other things by the same characters: a word's edge is a backspace there, a dot takes the end of a line, digits
are those of every script, and options stand at the beginning alone. Each piece is read here and written out anew; of what
cannot be said there one is told. Nobody asks what a group holds or how far a match goes: the whole text matches, or not.
"""

from __future__ import annotations

import re
from typing import Final

from zen_agents.datasets.dialects.base import UnsaidError

_DIGIT, _WORD, _SPACE = "0-9", "0-9A-Za-z_", "\t\n\f\r "
_CLASSES: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_NAMED: Final = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\x01-\x7f", "blank": "\t ", "cntrl": "\x01-\x1f\x7f", "digit": _DIGIT,
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": "!-/:-@[-`{-~", "space": "\t\n\v\f\r ", "upper": "A-Z",
    "word": _WORD, "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_SIGNS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_AT_EDGE: Final = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
_PLACES: Final = {
    "A": r"\A", "z": r"\Z", "b": _AT_EDGE, "B": f"(?:(?<=[{_WORD}])(?=[{_WORD}])|(?<![{_WORD}])(?![{_WORD}]))",
}  # fmt: skip
_TIMES: Final = re.compile(r"\{(\d+)(,(\d*))?\}")
_OPTIONS: Final = re.compile(r"\(\?([a-zA-Z]+)\)")
_GROUP: Final = re.compile(r"\((?:\?:|\?P?<[^>]*>)?")
_CODE: Final = re.compile(r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|([0-7]{1,3})")
_NAME: Final = re.compile(r"\[:(.*?):\]", re.DOTALL)
_SPECIAL: Final = frozenset("\\.^$*+?()[]{}|-")
#: More often than this nothing is repeated there.
_MOST_TIMES: Final = 255


def postgres_pattern(pattern: str) -> str:
    """Return the expression that the whole of a text matches there if it matches this; UnsaidError if there is none."""
    return _Writer(pattern).whole()


class _Writer:
    def __init__(self, pattern: str) -> None:
        self._pattern, self._at, self._takes_ends = pattern, 0, False

    def whole(self) -> str:
        options = self._options()
        body = "".join(self._pieces())
        return f"{options}^(?:{body})$"

    def _options(self) -> str:
        found = _OPTIONS.match(self._pattern)
        if found is None:
            return ""
        if odd := set(found[1]) - {"i", "s"}:
            raise self._unsaid(f"(?{min(odd)})")
        self._at, self._takes_ends = found.end(), "s" in found[1]
        return "(?i)" if "i" in found[1] else ""

    def _pieces(self) -> list[str]:
        told = []
        while self._at < len(self._pattern):
            told.append(self._piece())
        return told

    def _piece(self) -> str:
        character = self._pattern[self._at]
        if read := {"\\": self._escape, "[": self._class, "(": self._group, "{": self._times}.get(character):
            return read()
        if character in "*+?":
            return self._often(character, self._at + 1)
        self._at += 1
        if character == "." and not self._takes_ends:
            return "[^\n]"
        return character if character in ".^$|)" else _plain(character)

    def _often(self, written: str, end: int) -> str:
        """Go on behind a repetition; whether it takes as little as it can is all the same."""
        self._at = end + (self._pattern[end : end + 1] == "?")
        return written

    def _times(self) -> str:
        found = _TIMES.match(self._pattern, self._at)
        if found is None:
            self._at += 1
            return r"\{"
        if max(int(each) for each in (found[1], found[3] or "0")) > _MOST_TIMES:
            raise self._unsaid(found[0])
        return self._often(found[0], found.end())

    def _group(self) -> str:
        found = _GROUP.match(self._pattern, self._at)
        assert found is not None  # noqa: S101 - it begins with a parenthesis
        if self._pattern[found.end() : found.end() + 1] == "?":
            raise self._unsaid(self._pattern[self._at : self._at + 4])
        self._at = found.end()
        return "(?:"

    def _escape(self) -> str:
        letter = self._pattern[self._at + 1 : self._at + 2]
        if letter in _PLACES:
            self._at += 2
            return _PLACES[letter]
        if letter.lower() in _CLASSES:
            self._at += 2
            return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"
        if letter == "Q":
            text, _, _ = self._pattern[self._at + 2 :].partition(r"\E")
            self._at = min(len(self._pattern), self._at + 2 + len(text) + 2)
            return "".join(map(_plain, text))
        return _plain(self._character())

    def _character(self) -> str:
        """Read one character, as it is or by its number."""
        if self._pattern[self._at] != "\\":
            self._at += 1
            return self._pattern[self._at - 1]
        letter = self._pattern[self._at + 1 : self._at + 2]
        if found := _CODE.match(self._pattern, self._at + 1):
            self._at = found.end()
            number = int(found[1] or found[2] or found[3], 16 if found[3] is None else 8)
            if not number:
                raise self._unsaid("a NUL")
            return chr(number)
        if not letter or (letter.isalnum() and letter not in _SIGNS):
            raise self._unsaid(f"\\{letter}")
        self._at += 2
        return _SIGNS.get(letter, letter)

    def _class(self) -> str:
        self._at += 1
        told = "[^" if self._pattern[self._at : self._at + 1] == "^" else "["
        self._at += len(told) - 1
        first = self._at
        while self._at == first or self._pattern[self._at : self._at + 1] != "]":
            told += self._member()
        self._at += 1
        return told + "]"

    def _member(self) -> str:
        letter = self._pattern[self._at + 1 : self._at + 2] if self._pattern[self._at] == "\\" else ""
        if letter in _CLASSES:
            self._at += 2
            return _CLASSES[letter]
        if found := _NAME.match(self._pattern, self._at):
            name = found[1]
            if name not in _NAMED:
                raise self._unsaid(found[0])
            self._at = found.end()
            return "".join(_in_class(each) if each in "[]\\^" else each for each in _NAMED[name])
        low = self._character()
        if self._pattern[self._at : self._at + 1] == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("", "]"):
            self._at += 1
            return f"{_in_class(low)}-{_in_class(self._character())}"
        return _in_class(low)

    def _unsaid(self, what: str) -> UnsaidError:
        return UnsaidError(f"PostgreSQL has nothing for {what} in {self._pattern!r}; say it another way")


def _plain(character: str) -> str:
    return f"\\{character}" if character in _SPECIAL else character


def _in_class(character: str) -> str:
    return f"\\{character}" if character in "[]\\^-" else character
