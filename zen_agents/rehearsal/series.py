"""Written series of one observation over time, in the notation of promtool, with states as well as numbers.

    up x4 down x8 up       four times up, eight times down, once up
    40+5x10                40, 45 ... 90: eleven values, as promtool counts them
    90-5x3 _ x2 70         a ramp down, two looks that could not tell, a number

The last value stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from zen_agents.model.observation import Status
from zen_agents.rehearsal.facts import Fact, fact_of

#: A test of a week, looked at every six seconds, is not longer.
MOST_SAMPLES = 100_000

_WORD = re.compile(r"\S+")
_TIMES = re.compile(r"x([0-9]{1,9})")
_RAMP = re.compile(r"([-+]?[0-9]*\.?[0-9]+)([-+][0-9]*\.?[0-9]+)x([0-9]{1,9})")
_GLUED = re.compile(r"([^x\s]+)x([0-9]+)")
#: What promtool calls a missing sample.
_MISSING = "_"


class SeriesError(ValueError):
    """A series that cannot be read, and where in its text it goes wrong (characters from its start)."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def read_series(text: str) -> Sequence[Fact]:
    """Return one fact a sample. Raises SeriesError for what is not in the notation, and for more than MOST_SAMPLES."""
    facts: list[Fact] = []
    for word in _WORD.finditer(text):
        facts += _meant(word[0], facts, word.start())
        if len(facts) > MOST_SAMPLES:
            raise SeriesError(f"more than {MOST_SAMPLES} samples", word.start())
    if not facts:
        raise SeriesError("there is no value in it; write one like: up x4 down x8", 0)
    return facts


def _meant(word: str, before: Sequence[Fact], at: int) -> list[Fact]:
    if times := _TIMES.fullmatch(word):
        if not before:
            raise SeriesError(f"`{word}` repeats the value before it, and there is none", at)
        return [before[-1]] * (_count(times[1], at, least=1) - 1)
    if ramp := _RAMP.fullmatch(word):
        first, step = float(ramp[1]), float(ramp[2])
        return [Fact(Status.OK, first + step * index) for index in range(_count(ramp[3], at, least=0) + 1)]
    if word == _MISSING:
        return [Fact(Status.UNKNOWN, None)]
    if (fact := _number_or_state(word)) is not None:
        return [fact]
    if (glued := _GLUED.fullmatch(word)) and _number_or_state(glued[1]) is not None:
        raise SeriesError(f"`{word}` is read differently elsewhere; write `{glued[1]} x{glued[2]}`", at)
    raise SeriesError(f"`{word}` is neither a number nor a state (up, down, unknown) nor a repeat (x4, 40+5x10)", at)


def _number_or_state(word: str) -> Fact | None:
    try:
        number = float(word) if re.fullmatch(r"[-+]?[0-9]*\.?[0-9]+", word) else None
    except ValueError:
        return None
    return fact_of(word if number is None else number)


def _count(digits: str, at: int, *, least: int) -> int:
    count = int(digits)
    if not least <= count <= MOST_SAMPLES:
        raise SeriesError(f"x{digits} is not between {least} and {MOST_SAMPLES}", at)
    return count
