"""Shell patterns, many at once: a guard compares each name with a hundred of them, in a storm ten thousand times.

Nearly all of them are a plain name, or one with a single `*`; those need no regular expression, which would cost the first
repair after a start more than all that is decided about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache

from zen_agents.dataclass import compile_now, dataclass

_SPECIAL = frozenset("*?[")


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether any of these patterns fits the whole name, upper and lower case told apart."""
    return _sorted(patterns).fit(name)


@dataclass(frozen=True, slots=True)
class _Patterns:
    names: frozenset[str]
    #: Of `postgresql*` and `*.slice`.
    beginnings: tuple[str, ...]
    ends: tuple[str, ...]
    #: Of `ssh@*.service`, by beginning and end.
    both: tuple[tuple[str, str], ...]
    rest: re.Pattern[str] | None

    def fit(self, name: str) -> bool:
        return (
            name in self.names
            or name.startswith(self.beginnings)
            or name.endswith(self.ends)
            or any(len(name) >= len(a) + len(b) and name.startswith(a) and name.endswith(b) for a, b in self.both)
            or (self.rest is not None and self.rest.match(name) is not None)
        )


def get_ready() -> None:
    """Compile what sorted patterns are made by, where the first answer must not wait for it."""
    compile_now(_Patterns)


@lru_cache(maxsize=32)
def _sorted(patterns: tuple[str, ...]) -> _Patterns:
    plain = [pattern for pattern in patterns if _SPECIAL.isdisjoint(pattern)]
    single = [pattern.partition("*")[::2] for pattern in patterns if _has_one_star(pattern)]
    odd = [pattern for pattern in patterns if not _SPECIAL.isdisjoint(pattern) and not _has_one_star(pattern)]
    return _Patterns(
        frozenset(plain),
        tuple(beginning for beginning, end in single if not end),
        tuple(end for beginning, end in single if end and not beginning),
        tuple((beginning, end) for beginning, end in single if beginning and end),
        _compiled(odd),
    )


def _has_one_star(pattern: str) -> bool:
    return pattern.count("*") == 1 and _SPECIAL.isdisjoint(pattern.replace("*", ""))


def _compiled(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(translate, patterns))) if patterns else None
