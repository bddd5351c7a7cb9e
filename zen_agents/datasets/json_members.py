"""A line of JSON of which single members are changed: every other part stays the very text that it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from zen_agents.datasets.repairs import UnrepairableError

_SPACE: Final = re.compile(r"[ \t\r\n]*")
#: Numbers are only passed over: none is too long, or loses a digit.
_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str)


def with_members(line: str, made: str) -> str:
    """Return an object with the members of another in the place of its own; new ones stand at its end.

    UnrepairableError for a line that cannot be taken apart, or that has a member twice that is to be changed: readers do not
    agree on which of the two counts.
    """
    try:
        new = {key: made[begin:end] for key, begin, end in _members(made)}
        there = [*_members(line)]
    except (ValueError, IndexError, RecursionError) as error:
        raise UnrepairableError(f"a line cannot be taken apart to be repaired: {error}") from error
    changed = [each for each in there if each[0] in new]
    if len({key for key, _, _ in changed}) < len(changed):
        twice = next(key for at, (key, _, _) in enumerate(changed) if any(key == each for each, _, _ in changed[:at]))
        raise UnrepairableError(f"a line has {json.dumps(twice)} twice, and readers do not agree on which of them counts")
    parts, behind = [], 0
    for key, begin, end in changed:
        parts += [line[behind:begin], new.pop(key)]
        behind = end
    if new:
        last = there[-1][2] if there else line.index("{") + 1
        added = ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {text}" for key, text in new.items())
        parts += [line[behind:last], ", " if there else "", added]
        behind = last
    return "".join([*parts, line[behind:]])


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each key of an object, and where its value begins and ends."""
    at = _behind_space(text, _behind_space(text, 0) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        begin = _behind_space(text, _behind_space(text, at) + 1)
        _, at = _DECODER.raw_decode(text, begin)
        yield key, begin, at
        at = _behind_space(text, at)
        at = _behind_space(text, at + 1) if text[at] == "," else at


def _behind_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
