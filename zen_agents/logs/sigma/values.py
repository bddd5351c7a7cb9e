"""What one field of a selection must be: the modifiers behind its name, wildcards and regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Final

from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.sigma.refused import SigmaRefusedError

#: Tells of the text of a field whether it is so.
TextTest = Callable[[str], bool]

#: Modifiers that say where a value is looked for.
_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "": ("^", "$"), "contains": ("", ""), "startswith": ("^", ""), "endswith": ("", "$"),
}  # fmt: skip
_OTHERS: Final = frozenset({"all", "re", "cidr", "cased", "exists", "i", "gt", "gte", "lt", "lte"})
_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "gt": float.__gt__, "gte": float.__ge__, "lt": float.__lt__, "lte": float.__le__,
}  # fmt: skip
_ESCAPED: Final = re.compile(r"\\([\\*?])|(\*+|\?)|([^\\*?]+|\\)")
#: What stands in a line as it does in a value, whatever its format escapes.
_WORD: Final = re.compile(r"[A-Za-z0-9_./=&:,;%+-]{1,64}")
_SHORTEST_WORD: Final = 4
#: Modifiers with which a value is no text that a line has.
_NO_TEXT: Final = frozenset({"re", "cidr", "gt", "gte", "lt", "lte"})
#: A field has at most so many values.
MOST_VALUES: Final = 2048


def text_test(place: str, modifiers: Sequence[str], values: Sequence[Any]) -> TextTest:
    """Return what tells whether a text is one of these values, or all of them where `all` says so.

    Case does not matter, but for `re` and `cased`; `*` and `?` stand for any text and any one character, as Sigma has it.

    Raises:
        SigmaRefusedError: a modifier is not known, or a value means nothing or cannot be matched in linear time.
    """
    unknown = next((word for word in modifiers if word not in _PLACES and word not in _OTHERS), None)
    if unknown is not None:
        raise SigmaRefusedError(place, f"the modifier {unknown!r} is not understood here")
    if len(values) > MOST_VALUES:
        raise SigmaRefusedError(place, f"has more than {MOST_VALUES} values")
    if compared := next((word for word in modifiers if word in _COMPARED), None):
        return _numbers(place, compared, values)
    if "cidr" in modifiers:
        return _networks(place, values)
    patterns = [_pattern(place, modifiers, value) for value in values]
    return _matching(place, patterns, need_all="all" in modifiers)


def words_of(modifiers: Sequence[str], values: Sequence[Any]) -> frozenset[str] | None:
    """Return words, in small letters, of which one is in every line that has one of these values; None if there are none.

    They are parts of the values that formats leave as they stand in the line; a value of few characters has none.
    """
    if _NO_TEXT & set(modifiers):
        return None
    longest = [max(_WORD.findall(str(value)), key=len, default="").lower() for value in values]
    if "all" in modifiers:
        longest = [max(longest, key=len, default="")]
    return frozenset(longest) if longest and min(map(len, longest)) >= _SHORTEST_WORD else None


def _pattern(place: str, modifiers: Sequence[str], value: Any) -> str:
    if isinstance(value, bool | Mapping) or not isinstance(value, str | int | float):
        raise SigmaRefusedError(place, f"{value!r} is no text and no number")
    if "re" in modifiers:
        return f"(?i){value}" if "i" in modifiers else str(value)
    where = next((word for word in modifiers if word in _PLACES), "")
    before, after = _PLACES[where]
    body = _wildcards(str(value))
    # At either end a wildcard says that anything may stand there, and that is what no anchor says.
    if before and body.startswith(".*"):
        before, body = "", body[2:]
    if after and body.endswith(".*") and not body.endswith("\\.*"):
        after, body = "", body[:-2]
    return f"{'' if 'cased' in modifiers else '(?i)'}{before}{body}{after}"


def _wildcards(value: str) -> str:
    return "".join(
        re.escape(found[1]) if found[1] else {"*": ".*", "?": "."}[found[2][0]] if found[2] else re.escape(found[3])
        for found in _ESCAPED.finditer(value)
    )


def _matching(place: str, patterns: Sequence[str], *, need_all: bool) -> TextTest:
    """Return a test by the engines of `logs.matching`, in which what cannot be matched in linear time is no pattern."""
    # `^$` and `.*` are no patterns of a line: they say of a text that it is empty, or anything.
    sought = [pattern for pattern in patterns if pattern not in _EMPTY | _ANYTHING]
    takes_empty = any(pattern in _EMPTY for pattern in patterns)
    takes_anything = any(pattern in _ANYTHING for pattern in patterns)
    try:
        hits = choose(sought).matcher.hits if sought else None
    except PatternRefusedError as error:
        raise SigmaRefusedError(place, f"{sought[error.index]!r} {error.what}") from error
    wanted = len(sought)

    def holds(text: str) -> bool:
        if takes_anything and not need_all:
            return True
        if takes_empty and (not text or need_all):
            return not text and not sought
        if hits is None:
            return takes_anything
        # A text of several lines (a traceback) is one to Sigma.
        line = text.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")
        found = hits(line)
        return len({hit.pattern for hit in found}) == wanted if need_all else next(iter(found), None) is not None

    return holds


_EMPTY: Final = frozenset({"(?i)^$", "^$"})
_ANYTHING: Final = frozenset({"(?i)", "", "(?i).*", ".*", "(?i)$", "(?i)^"})


def _networks(place: str, values: Sequence[Any]) -> TextTest:
    try:
        networks = [ip_network(str(value), strict=False) for value in values]
    except ValueError as error:
        raise SigmaRefusedError(place, str(error)) from error

    def holds(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            # What is no address is within no network.
            return False
        return any(address.version == network.version and address in network for network in networks)

    return holds


def _numbers(place: str, how: str, values: Sequence[Any]) -> TextTest:
    if len(values) != 1 or isinstance(values[0], bool) or not isinstance(values[0], int | float):
        raise SigmaRefusedError(place, f"{how} compares with one number")
    compare, limit = _COMPARED[how], float(values[0])

    def holds(text: str) -> bool:
        return text.isascii() and text.isdigit() and len(text) < 20 and compare(float(text), limit)

    return holds
