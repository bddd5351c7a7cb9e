"""Durations in seconds, and as people read them."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache


@lru_cache(maxsize=256)
def seconds_in(span: timedelta, times: float = 1.0) -> float:
    """Return the seconds of so many times a span; the same object for the same ones, since thousands of checks have them."""
    return span.total_seconds() * times


def duration(seconds: float) -> str:
    """Return a duration for people: 8 s, 2 min 40 s, 3 h 10 min, 6 d 2 h."""
    whole = max(0, int(seconds))
    for size, unit, rest_size, rest_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // rest_size
            return f"{whole // size} {unit} {rest} {rest_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"
