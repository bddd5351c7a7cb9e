"""Takes out of a line what differs from one line to the next: numbers, addresses, identifiers.

First every run of ASCII digits becomes one `0`; that is the line's shape, which `bytes.translate` and `bytes.replace` make
of a whole chunk at once. The masks see shapes: to them 192.0.2.7 is `0.0.0.0`. So what a mask does to a line depends on its
shape alone, and has to be worked out once for all lines of one shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zen_agents.dataclass import dataclass

_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
#: Runs are shortened by these, the longest first; the shortest is repeated until none is left.
_RUNS: Final = (b"0" * 8, b"0" * 3, b"0" * 2)
#: So many masked words are remembered, none of more characters than this.
_MOST_KNOWN: Final = 10_000
_LONGEST_KNOWN: Final = 100
_BEFORE, _AFTER = r"(?<![0-9A-Za-z_])", r"(?![0-9A-Za-z_])"


@dataclass(frozen=True, slots=True)
class Mask:
    """What is replaced by `<name>`, wherever the pattern matches a shape.

    The pattern is a regular expression of Python's `re` in which a number, however long, is one 0: a pattern for one digit
    matches it, one for four does not. It has no named groups, and as it is applied to hostile text it must not backtrack.
    """

    name: str
    pattern: str


#: In the order in which they are tried at each place of a word. None matches a word without a 0.
SHIPPED: Final = (
    Mask("uuid", rf"{_BEFORE}[0a-fA-F]{{1,8}}(?:-[0a-fA-F]{{1,4}}){{3}}-[0a-fA-F]{{1,12}}{_AFTER}"),
    Mask("ip", rf"{_BEFORE}0\.0\.0\.0(?!\.?[0A-Za-z_])"),
    # IPv6 and MAC addresses; times have two colons at most.
    Mask("address", rf"{_BEFORE}(?:[0a-fA-F]{{1,4}}:){{3,7}}:?[0a-fA-F]{{1,4}}{_AFTER}"),
    Mask("hex", rf"{_BEFORE}(?:0[xX][0a-fA-F]+|(?=[a-fA-F]*0)(?=0?[a-fA-F])[0a-fA-F]{{4,}}){_AFTER}"),
    Mask("num", r"(?:(?<![0-9A-Za-z)\]])-)?0(?:[.,:/-]0)*"),
)


def shape(text: bytes) -> bytes:
    """Return a text with each run of ASCII digits as one 0; lines stay lines."""
    text = text.translate(_DIGITS)
    for run in _RUNS[:-1]:
        text = text.replace(run, b"0")
    while _RUNS[-1] in text:
        text = text.replace(_RUNS[-1], b"0")
    return text


class Masks:
    """Makes masked words of shapes. Masks of a source's own come before those that are shipped, and may reach over words."""

    def __init__(self, own: Sequence[Mask] = ()) -> None:
        self._own = _Replacement(own) if own else None
        self._shipped = _Replacement(SHIPPED)
        #: What became of words with a number, for they are few and come again.
        self._known: dict[str, str] = {}

    def words(self, line_shape: str, most: int) -> list[str]:
        """Return the first `most` words of the shape of one line, and as one more word, unmasked, whatever comes after."""
        if self._own is not None:
            line_shape = self._own.within(line_shape)
        known = self._known
        return [word if "0" not in word else known.get(word) or self._masked(word) for word in line_shape.split(None, most)]

    def _masked(self, word: str) -> str:
        masked = self._shipped.within(word)
        if len(word) <= _LONGEST_KNOWN:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[word] = masked
        return masked


class _Replacement:
    """Several masks in one search."""

    def __init__(self, masks: Sequence[Mask]) -> None:
        self._any = re.compile("|".join(f"(?P<m{number}>{mask.pattern})" for number, mask in enumerate(masks)))
        self._names = {f"m{number}": f"<{mask.name}>" for number, mask in enumerate(masks)}

    def within(self, text: str) -> str:
        return self._any.sub(self._name, text)

    def _name(self, match: re.Match[str]) -> str:
        return self._names[match.lastgroup or ""]
