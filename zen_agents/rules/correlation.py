"""Which incidents belong together: they are about the same thing, or one follows the other more often than chance. Pure.

It only tells. What is muted, and what waits for its root, rests on what the host itself or the configuration says
(`causality`): whoever writes to a log could otherwise hide one incident behind another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from math import comb
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.model.duration import duration
from zen_agents.model.incident import Incident
from zen_agents.model.observation import SharedKey

#: What is about the same thing belongs together if no more than this lies between (seconds).
NEAR_SECONDS: Final = 3600.0
#: One follows another that began no longer ago than this (seconds).
FOLLOWS_SECONDS: Final = 300.0
#: It has to have done so this often, and chance would make it so less often than this.
LEAST_TIMES: Final = 3
CHANCE: Final = 1e-4
#: So many belong to one at most, the nearest.
MOST_RELATED: Final = 20
#: Of one rule and target so many openings count, the latest.
MOST_OPENINGS: Final = 500


@dataclass(frozen=True, slots=True)
class Related:
    """An incident that belongs to another, and how that is known."""

    incident: Incident
    #: In words: `the same address 203.0.113.5`.
    why: str
    #: What both are about; () where it is not that by which they belong together. Untrusted text.
    shared: tuple[SharedKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Habit:
    """How often one rule's incidents began soon after another's."""

    times: int
    of: int
    #: How likely chance alone would make it so often.
    chance: float

    @property
    def is_certain(self) -> bool:
        """True if it is more than chance."""
        return self.times >= LEAST_TIMES and self.chance < CHANCE


def own_keys(incident: Incident, said: Collection[SharedKey]) -> frozenset[SharedKey]:
    """Return what an incident is about: its target, where that is one thing, and what its observations said."""
    kind, _, name = incident.target.partition(":")
    # A source is a whole log, of which many tell; the host is everything.
    return frozenset(said) | ({("target", name)} if name and kind != "source" else set())


def is_near(one: Incident, other: Incident) -> bool:
    """Tell whether no more than `NEAR_SECONDS` lie between the end of one incident and the beginning of the other."""
    early, late = sorted((one, other), key=lambda each: each.began_at.steady)
    ended = early.resolved_at
    return ended is None or late.began_at.steady - ended.steady <= NEAR_SECONDS


def sharing(about: Mapping[str, Collection[SharedKey]], incident: Incident, others: Sequence[Incident]) -> Sequence[Related]:
    """Return those of the others that are near and about the same thing; `about` has the keys of each, by id."""
    wanted = frozenset(about.get(incident.id, ()))
    found = []
    for other in others:
        both = tuple(sorted(wanted.intersection(about.get(other.id, ()))))
        if both and other.id != incident.id and is_near(incident, other):
            found.append(Related(other, f"the same {' and '.join(map(' '.join, both))}", both))
    return found


def followed(before: Sequence[float], after: Sequence[float], until: float) -> Habit:
    """Return how often something began within `FOLLOWS_SECONDS` after something else, from the first of either on.

    Times are steady seconds, in order. Chance: were both independent, each would fall into a share of the time as large as
    that which lies within `FOLLOWS_SECONDS` after one of the first; the number that does is binomial. What comes in a burst
    counts once on either side, since a burst is one event.
    """
    first, second = _apart(before), _apart(after)
    if not first or not second:
        return Habit(0, len(second), 1.0)
    span = max(until - min(first[0], second[0]), FOLLOWS_SECONDS)
    covered = sum(min(FOLLOWS_SECONDS, until - at) for at in first)
    times = sum(bisect_right(first, at) > bisect_left(first, at - FOLLOWS_SECONDS) for at in second)
    return Habit(times, len(second), _at_least(times, len(second), min(1.0, covered / span)))


def habit_in_words(habit: Habit) -> str:
    """Return in words how often it was so; after what is to be added."""
    return f"came {habit.times} of {habit.of} times within {duration(FOLLOWS_SECONDS)} after"


def _apart(times: Sequence[float]) -> list[float]:
    """Return the beginnings of bursts: times that are further than `FOLLOWS_SECONDS` from the one kept before."""
    kept: list[float] = []
    for at in sorted(times)[-MOST_OPENINGS:]:
        if not kept or at - kept[-1] > FOLLOWS_SECONDS:
            kept.append(at)
    return kept


def _at_least(times: int, of: int, share: float) -> float:
    """Return how likely at least so many of so many are, each with this chance (the tail of the binomial distribution)."""
    return sum(comb(of, each) * share**each * (1 - share) ** (of - each) for each in range(times, of + 1))
