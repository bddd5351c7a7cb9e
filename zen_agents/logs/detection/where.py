"""What the fields of a line must be: the `where:` of a rule."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Final

from zen_agents.errors import ZenError
from zen_agents.logs.matching.choose import choose

#: Tells of a line's fields whether they are so.
Test = Callable[[Mapping[str, str]], bool]

_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
#: A number has at most so many characters.
_LONGEST_NUMBER = 64


class WhereRefusedError(ZenError):
    """`where:` names a field and a value, a list of values, a comparison (">= 500") or {match: REGEX}."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        #: Which field it was written for.
        self.field = field


def compiled(where: Mapping[str, object]) -> Test:
    """Return what tells whether all of `where` holds.

    A value is text that must be the same, letter by letter; a number must be the same number, however it is written. A list
    holds if one of its values does, each taken as it stands. Text that begins with `>=`, `<=`, `>` or `<` compares numbers,
    with `!=` it is what the field must not be, and `{match: REGEX}` searches as patterns of lines do (`logs.matching`).
    **What a line does not say never holds**: not a field that it lacks, `!=` included, nor a comparison with what is no
    number.

    Raises:
        WhereRefusedError: something of it means nothing.
        PatternRefusedError: a regular expression is none, or cannot be matched in linear time.
    """
    tests = [(field, _test(field, wanted)) for field, wanted in where.items()]

    def holds(fields: Mapping[str, str]) -> bool:
        return all((value := fields.get(field)) is not None and test(value) for field, test in tests)

    return holds


def _test(field: str, wanted: object) -> Callable[[str], bool]:
    if isinstance(wanted, Mapping):
        pattern = wanted.get("match")
        if set(wanted) != {"match"} or not isinstance(pattern, str):
            raise WhereRefusedError(field, f"{field}: only `match: REGEX` can stand in braces")
        return _holding(pattern)
    if isinstance(wanted, list):
        return _one_of(field, wanted)
    if isinstance(wanted, str) and wanted[:1] in {"<", ">", "!"}:
        return _comparison(field, wanted)
    return _same(field, wanted)


def _holding(pattern: str) -> Callable[[str], bool]:
    hits = choose([pattern]).matcher.hits
    return lambda value: next(hits(value.encode("utf-8", "replace")), None) is not None


def _one_of(field: str, wanted: list[object]) -> Callable[[str], bool]:
    if not wanted:
        raise WhereRefusedError(field, f"{field}: an empty list never holds; leave the field out")
    tests = [_same(field, value) for value in wanted]
    return lambda value: any(test(value) for test in tests)


def _same(field: str, wanted: object) -> Callable[[str], bool]:
    if isinstance(wanted, bool):
        return str(wanted).lower().__eq__
    if isinstance(wanted, str):
        return wanted.__eq__
    if isinstance(wanted, int | float) and isfinite(wanted):
        return lambda value: value == str(wanted) or _number(value) == wanted
    raise WhereRefusedError(field, f"{field}: {wanted!r} is no value; write text, a number, a list or a comparison")


def _comparison(field: str, wanted: str) -> Callable[[str], bool]:
    if wanted.startswith("!="):
        return wanted[2:].strip().__ne__
    sign = next((sign for sign in _COMPARISONS if wanted.startswith(sign)), "")
    limit = _number(wanted.removeprefix(sign).strip())
    if limit is None or not sign:
        raise WhereRefusedError(
            field, f"{field}: {wanted!r} compares with no number; write [{wanted!r}] if that is the text"
        )
    compare = _COMPARISONS[sign]
    return lambda value: (number := _number(value)) is not None and compare(number, limit)


def _number(text: str) -> float | None:
    if len(text) > _LONGEST_NUMBER or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
