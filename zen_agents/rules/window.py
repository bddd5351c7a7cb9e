"""Recent observations: the newest of everything, and a bounded past of what somebody needs the past of."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import isfinite
from operator import sub
from typing import TYPE_CHECKING

from zen_agents.model.observation import Observation, Status

if TYPE_CHECKING:
    from zen_agents.rules.rule import Condition

#: No past is kept longer than this (seconds), nor more samples than that, whoever asks.
LONGEST_SECONDS = 7 * 86400.0
MOST_SAMPLES = 8192
#: Samples may come a little late without counting as missing.
_EPSILON = 1e-6
#: Old samples are dropped in blocks, so that adding one stays cheap.
_BLOCK = 64


class Series:
    """The past of one (name, target)."""

    __slots__ = ("seconds", "times", "values", "watched_since")

    def __init__(self, seconds: float) -> None:
        #: How much of it is kept.
        self.seconds = seconds
        self.times = array("d")
        self.values = array("d")
        self.watched_since = float("inf")

    def add(self, observation: Observation) -> None:
        """Keep the number of an observation, if it has one."""
        at = observation.at.steady
        self.watched_since = min(self.watched_since, at)
        if observation.value is None or observation.status is Status.UNKNOWN:
            return
        self.times.append(at)
        self.values.append(observation.value)
        surplus = max(bisect_left(self.times, at - self.seconds), len(self.times) - MOST_SAMPLES)
        if surplus >= _BLOCK:
            del self.times[:surplus], self.values[:surplus]


class RecentObservations:
    """What the rules of this host may look at; implements `Window`.

    Costs nothing but the newest observation of each pair, plus 16 bytes for each sample of a pair whose past is required.
    """

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], Observation | None] = {}
        #: Of pairs whose past somebody needs.
        self._series: dict[tuple[str, str], Series] = {}

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Know these pairs before they are observed, by the tuples that whoever reads them has already."""
        for pair in pairs:
            self._newest.setdefault(pair, None)

    def require(self, name: str, target: str, seconds: float) -> None:
        """Keep at least the last `seconds` (at most a week) of this pair from now on."""
        kept = min(seconds, LONGEST_SECONDS)
        series = self._series.get((name, target))
        if series is None:
            series = self._series[name, target] = Series(kept)
            if (newest := self.last(name, target)) is not None:
                series.watched_since = newest.at.steady
        series.seconds = max(series.seconds, kept)

    def require_all(self, condition: Condition) -> None:
        """Keep as much of the past as a condition needs."""
        for (name, target), seconds in condition.histories.items():
            self.require(name, target, seconds)

    def add(self, observation: Observation) -> None:
        """Remember an observation. A value that is not finite makes it UNKNOWN; one older than the newest is ignored."""
        value = observation.value
        if value is not None and not isfinite(value):
            observation = observation._replace(status=Status.UNKNOWN, value=None, detail="the measured value is not finite")
        pair = (observation.name, observation.target)
        newest = self._newest.get(pair)
        if newest is not None and observation.at.steady < newest.at.steady:
            # The late answer of a check that hung says nothing about the present.
            return
        self._newest[pair] = observation
        series = self._series.get(pair)
        if series is not None:
            series.add(observation)

    def forget(self, name: str, target: str) -> None:
        """Forget what was observed of a target that others chose."""
        self._newest.pop((name, target), None)

    def last(self, name: str, target: str) -> Observation | None:
        """Return the newest observation, or None if there is none."""
        return self._newest.get((name, target))

    def samples(self, name: str, target: str) -> Series | None:
        """Return the kept measurements; None without an observation, or if nobody required the past."""
        series = self._series.get((name, target))
        return series if series is not None and self.last(name, target) is not None else None


def covered_seconds(times: Sequence[float], every_seconds: float) -> float:
    """Return how many seconds the samples speak for; each speaks for at most `every_seconds`.

    Samples that come faster than expected therefore do not make up for a gap.
    """
    return every_seconds + sum([min(later - earlier, every_seconds) for earlier, later in pairwise(times)])


def is_covered(times: Sequence[float], first: int, *, seconds: float, every_seconds: float, share: float) -> bool:
    """Tell whether at least `share` of the samples expected within `seconds` are there, from index `first` on."""
    if first >= len(times):
        return False
    recent, needed = times[first:], share * seconds - _EPSILON
    lasted = recent[-1] - recent[0]
    if lasted + every_seconds < needed:
        return False
    # With no gap longer than `widest`, at least every/widest of the time is covered: mostly spares adding up the gaps.
    widest = max(map(sub, recent[1:], recent), default=0.0)
    if lasted * min(1.0, every_seconds / max(widest, every_seconds)) + every_seconds >= needed:
        return True
    return covered_seconds(recent, every_seconds) >= needed
