"""Asks only what is not known or too old, some at a time; where nobody answers, what is old is told as old."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from zen_agents.adapters.advisories_source import SourceUnavailableError
from zen_agents.model.duration import duration

#: Sources take no more in one question.
_MOST_AT_ONCE: Final = 1000


class Aged(Protocol):
    """An answer."""

    @property
    def at(self) -> datetime:
        """When it was given."""


K = TypeVar("K")
V = TypeVar("V", bound=Aged)


def known_of(
    asked: Iterable[K], kept: Callable[[K], V | None], ask: Callable[[Sequence[K]], Mapping[K, V]], *,
    now: datetime, max_age: timedelta, untold: str,
) -> tuple[dict[K, V], str]:  # fmt: skip
    """Return what is known of each, and why not of all; `untold` says what it is that stays unknown, in the plural."""
    old = {each: found for each in asked if (found := kept(each)) is not None}
    known = {each: found for each, found in old.items() if now - found.at <= max_age}
    missing = [each for each in asked if each not in known]
    try:
        for start in range(0, len(missing), _MOST_AT_ONCE):
            known |= ask(missing[start : start + _MOST_AT_ONCE])
    except SourceUnavailableError as error:
        left = [each for each in missing if each not in known]
        told = {each: old[each] for each in left if each in old}
        why = f"{error}; {untold} that stay unknown: {len(left)}"
        if told:
            age = duration((now - min(each.at for each in told.values())).total_seconds())
            why += f"; told as it was up to {age} ago: {len(told)}"
        return known | told, why
    return known, ""
