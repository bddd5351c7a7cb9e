"""Reads back what was saved. It comes from a file: what cannot have been saved is left out, never trusted."""

from __future__ import annotations

from math import isfinite
from typing import Any

from zen_agents.logs.keys import LONGEST_VALUE, Key

#: Nothing is counted further than this.
_MOST = 2**63


def checked_rows(value: Any, *, width: int, most: int = 0) -> list[list[Any]]:
    """Return the rows of a list that have this width, or up to `most` values."""
    if not isinstance(value, list):
        return []
    return [row for row in value if isinstance(row, list) and width <= len(row) <= max(width, most)]


def checked_key(value: Any, width: int) -> Key | None:
    """Return a key of this many values, None if it is none."""
    if not isinstance(value, list) or len(value) != width:
        return None
    return tuple(value) if all(isinstance(part, str) and len(part) <= LONGEST_VALUE for part in value) else None


def checked_number(value: Any) -> float | None:
    """Return a finite number, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def checked_count(value: Any) -> int:
    """Return a whole number of things, 0 if it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else 0


def checked_times(value: Any, most: int) -> list[float]:
    """Return the latest `most` of these times, in order."""
    if not isinstance(value, list):
        return []
    return sorted(time for entry in value if (time := checked_number(entry)) is not None)[-most:]
