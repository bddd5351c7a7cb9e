"""Shell patterns, many at once: a guard compares each name with a hundred of them, in a storm ten thousand times."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether any of these patterns fits the whole name, upper and lower case told apart."""
    return _compiled(patterns).match(name) is not None


@lru_cache(maxsize=32)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # An empty alternation would fit everything; this fits nothing.
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")
