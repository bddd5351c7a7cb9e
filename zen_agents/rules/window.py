"""Recent observations: the newest of everything, and a bounded past of what somebody needs the past of."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
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
#: Stands in for the past of every pair that has none; never appended to.
_NOTHING: array[float] = array("d")


class Series:
    """Everything kept under one (name, target); `times` and `values` stay empty while nobody needs the past."""

    __slots__ = ("newest", "seconds", "times", "values", "watched_since")

    def __init__(self, newest: Observation | None, seconds: float) -> None:
        self.newest = newest
        #: How much of the past is kept; 0: none.
        self.seconds = seconds
        self.times = _NOTHING
        self.values = _NOTHING
        self.watched_since = newest.at.steady if newest else float("inf")


class RecentObservations:
    """What the rules of this host may look at; implements `Window`.

    Costs one small object for each observed pair, plus 16 bytes for each sample of a pair whose past is required.
    """

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], Series] = {}

    def require(self, name: str, target: str, seconds: float) -> None:
        """Keep at least the last `seconds` (at most a week) of this pair from now on."""
        series = self._series.setdefault((name, target), Series(None, 0.0))
        series.seconds = max(series.seconds, min(seconds, LONGEST_SECONDS))

    def require_all(self, condition: Condition) -> None:
        """Keep as much of the past as a condition needs."""
        for (name, target), seconds in condition.histories.items():
            self.require(name, target, seconds)

    def add(self, observation: Observation) -> None:
        """Remember an observation. A value that is not finite makes it UNKNOWN; one older than the newest is ignored."""
        value = observation.value
        if value is not None and not isfinite(value):
            observation = replace(observation, status=Status.UNKNOWN, value=None, detail="the measured value is not finite")
        series = self._series.get((observation.name, observation.target))
        if series is None:
            self._series[observation.name, observation.target] = Series(observation, 0.0)
            return
        if series.newest is None:
            series.watched_since = observation.at.steady
        elif observation.at.steady < series.newest.at.steady:
            # The late answer of a check that hung says nothing about the present.
            return
        series.newest = observation
        if series.seconds and observation.value is not None and observation.status is not Status.UNKNOWN:
            _keep(series, observation.at.steady, observation.value)

    def last(self, name: str, target: str) -> Observation | None:
        """Return the newest observation, or None if there is none."""
        try:
            return self._series[name, target].newest
        except KeyError:
            return None

    def samples(self, name: str, target: str) -> Series | None:
        """Return the kept measurements; None without an observation, or if nobody required the past."""
        series = self._series.get((name, target))
        return series if series is not None and series.seconds and series.newest is not None else None


def _keep(series: Series, at: float, value: float) -> None:
    if series.times is _NOTHING:
        series.times, series.values = array("d"), array("d")
    times, values = series.times, series.values
    times.append(at)
    values.append(value)
    surplus = max(bisect_left(times, at - series.seconds), len(times) - MOST_SAMPLES)
    if surplus >= _BLOCK:
        del times[:surplus], values[:surplus]


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
