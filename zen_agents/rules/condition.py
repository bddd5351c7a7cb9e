"""Conditions: what a rule looks for among recent observations.

All of them keep three answers apart. UNKNOWN (no observation, a stale one, too few samples, a value that is not finite) is
neither OK nor PROBLEM, and only what was really seen decides (R2).
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.observation import Finding, Observation, Status
from zen_agents.model.quantities import format_duration
from zen_agents.rules.rule import Condition, Window
from zen_agents.rules.window import is_covered

#: An observation older than so many sampling intervals says nothing about the present.
STALE_AFTER_SAMPLES = 3.0
_NO_HISTORY: Mapping[tuple[str, str], float] = {}


def why_untold(observation: Observation | None, name: str, now: Instant, stale_after_seconds: float) -> str:
    """Return why an observation says nothing about the present, "" if it does."""
    if observation is None:
        return f"{name} has not been observed"
    if observation.status is Status.UNKNOWN:
        return observation.detail or f"{name} could not be told"
    if now.steady - observation.at.steady > stale_after_seconds:
        return f"{name} was last observed {_words(now.steady - observation.at.steady)} ago"
    return ""


@dataclass(frozen=True, slots=True)
class StatusIs:
    """What a judging check says: PROBLEM and OK are passed on, UNKNOWN and stale ones are UNKNOWN."""

    name: str
    target: str
    stale_after_seconds: float
    #: True where one bad observation is proof (the exit of a watched process): it needs no hold.
    certain: bool = False

    def __post_init__(self) -> None:
        _share_words(self)

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        return frozenset({(self.name, self.target)})

    @property
    def histories(self) -> Mapping[tuple[str, str], float]:
        return _NO_HISTORY

    def evaluate(self, window: Window, now: Instant) -> Finding:
        """Return what the newest observation says."""
        newest = window.last(self.name, self.target)
        why = why_untold(newest, self.name, now, self.stale_after_seconds)
        if why or newest is None:
            return Finding(Status.UNKNOWN, now, why)
        certain = self.certain and newest.status is Status.PROBLEM
        return Finding(newest.status, newest.at, newest.detail, newest.value, newest.fingerprint, certain)


@dataclass(frozen=True, slots=True)
class Beyond:
    """All samples of the last `window_seconds` are beyond the limit; "CPU > 80 % for 5 minutes".

    PROBLEM needs that the pair has been watched for the whole window and that at least `share` of the expected samples are
    there. One sample within the limit is OK, since then not all are beyond. Whatever else is missing, and a newest
    observation that is stale or could not be told, is UNKNOWN. With a window of 0 only the newest observation counts.
    """

    name: str
    target: str
    limit: float
    window_seconds: float
    #: The expected distance between two samples.
    sample_seconds: float
    direction: Literal["above", "below"] = "above"
    share: float = 0.8

    def __post_init__(self) -> None:
        _share_words(self)

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        return frozenset({(self.name, self.target)})

    @property
    def histories(self) -> Mapping[tuple[str, str], float]:
        return {(self.name, self.target): self.window_seconds} if self.window_seconds > 0 else _NO_HISTORY

    def evaluate(self, window: Window, now: Instant) -> Finding:
        """Judge the samples of the window that ends now."""
        newest = window.last(self.name, self.target)
        why = why_untold(newest, self.name, now, self.sample_seconds * STALE_AFTER_SAMPLES)
        if why or newest is None or newest.value is None:
            return Finding(Status.UNKNOWN, now, why or f"{self.name} has no value")
        if not self._is_beyond(newest.value):
            return self._finding(Status.OK, newest, newest.value)
        if self.window_seconds <= 0:
            return self._finding(Status.PROBLEM, newest, newest.value)
        return self._over_window(window, now, newest, newest.value)

    def is_within(self, seen: Observation) -> bool:
        """Tell whether a value was told, and is surely not beyond the limit."""
        if seen.value is None or seen.status is Status.UNKNOWN:
            return False
        return seen.value <= self.limit if self.direction == "above" else seen.value >= self.limit

    def _over_window(self, window: Window, now: Instant, newest: Observation, value: float) -> Finding:
        samples = window.samples(self.name, self.target)
        if samples is None:
            return Finding(Status.UNKNOWN, now, f"the past of {self.name} is not kept")
        start = now.steady - self.window_seconds
        first = bisect_left(samples.times, start)
        values = samples.values[first:]
        mildest = (min if self.direction == "above" else max)(values, default=value)
        if not self._is_beyond(mildest):
            return self._finding(Status.OK, newest, value)
        if samples.watched_since > start or not is_covered(
            samples.times, first, seconds=self.window_seconds, every_seconds=self.sample_seconds, share=self.share
        ):
            span = _words(self.window_seconds)
            return Finding(Status.UNKNOWN, now, f"too few samples of {self.name} in the last {span}", value)
        return self._finding(Status.PROBLEM, newest, value)

    def _is_beyond(self, value: float) -> bool:
        return value > self.limit if self.direction == "above" else value < self.limit

    def _finding(self, status: Status, newest: Observation, value: float) -> Finding:
        if status is Status.OK:
            return Finding(status, newest.at, newest.detail, value, newest.fingerprint)
        detail = f"{self.name} is {_told_from(value, self.limit)}, {self.direction} {self.limit:.4g}"
        if self.window_seconds > 0:
            detail += f" for {_words(self.window_seconds)}"
        return Finding(status, newest.at, detail, value, newest.fingerprint)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Several conditions that are one."""

    conditions: tuple[Condition, ...]

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        return frozenset().union(*(condition.names for condition in self.conditions))

    @property
    def histories(self) -> Mapping[tuple[str, str], float]:
        return _longest(self.conditions)


@dataclass(frozen=True, slots=True)
class Either(_Joined):
    """PROBLEM if any part says so, else UNKNOWN if any part could not tell, else OK."""

    def evaluate(self, window: Window, now: Instant) -> Finding:
        """Return the worst part's finding, one that needs no hold first.

        A PROBLEM is as new as the newest bad part; an OK is as old as the oldest part, so that each must be seen good.
        """
        findings = [condition.evaluate(window, now) for condition in self.conditions]
        bad = [finding for finding in findings if finding.status is Status.PROBLEM]
        if bad:
            return max(bad, key=lambda finding: (finding.certain, finding.at.steady))
        return _unknown(findings) or min(findings, key=_moment, default=Finding(Status.UNKNOWN, now, "no condition"))


@dataclass(frozen=True, slots=True)
class AllOf(_Joined):
    """PROBLEM if every part says so, OK if any part is OK, else UNKNOWN."""

    def evaluate(self, window: Window, now: Instant) -> Finding:
        """Return the mildest part's finding; a PROBLEM is as old as its oldest part, and certain only if all are."""
        findings = [condition.evaluate(window, now) for condition in self.conditions]
        good = [finding for finding in findings if finding.status is Status.OK]
        if good:
            return max(good, key=_moment)
        return _unknown(findings) or min(
            findings,
            key=lambda finding: (finding.certain, finding.at.steady),
            default=Finding(Status.UNKNOWN, now, "no condition"),
        )


def is_surely_good(condition: Condition, seen: Observation) -> bool:
    """Tell whether a condition cannot say PROBLEM on the word of this newest observation, whatever its past was.

    What other observations of it say is not asked: they are judged when they come. False where it is not sure.
    """
    if isinstance(condition, StatusIs):
        return seen.status is Status.OK
    if isinstance(condition, Beyond):
        return condition.is_within(seen)
    if isinstance(condition, Either):
        return all(not _reads(part, seen) or is_surely_good(part, seen) for part in condition.conditions)
    return isinstance(condition, AllOf) and any(
        _reads(part, seen) and is_surely_good(part, seen) for part in condition.conditions
    )


def _reads(condition: Condition, seen: Observation) -> bool:
    return (seen.name, seen.target) in condition.names


def _told_from(value: float, limit: float) -> str:
    """Return a value with as many digits as tell it from a limit that it is beyond, but no fewer than four."""
    texts = (f"{value:.{digits}g}" for digits in (4, 6, 8))
    return next((text for text in texts if float(text) != limit), f"{value!r}")


def _share_words(condition: StatusIs | Beyond) -> None:
    """Have a condition use the words of the check that it reads, instead of equal ones of its own."""
    object.__setattr__(condition, "name", sys.intern(condition.name))
    object.__setattr__(condition, "target", sys.intern(condition.target))


def _unknown(findings: Iterable[Finding]) -> Finding | None:
    return next((finding for finding in findings if finding.status is Status.UNKNOWN), None)


def _moment(finding: Finding) -> float:
    return finding.at.steady


def _longest(conditions: Iterable[Condition]) -> Mapping[tuple[str, str], float]:
    longest: dict[tuple[str, str], float] = {}
    for condition in conditions:
        for pair, seconds in condition.histories.items():
            longest[pair] = max(seconds, longest.get(pair, 0.0))
    return longest


def _words(seconds: float) -> str:
    return format_duration(timedelta(seconds=round(seconds, 0 if seconds >= 1 else 3)))
