"""Quantiles of any number of durations in little memory, mergeable over slices of time and over hosts.

DDSketch (Masson, Rim and Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB
2019): durations are counted in buckets whose bounds grow by a constant factor, so that every quantile is right to within 1 %
of itself, whatever the distribution is. What is shorter than a microsecond or longer than eleven days counts as that: so no
bucket ever has to be given up, and there are at most 1,383. The paper's own library needs 1.7 times as long for a duration,
and what it keeps is neither bounded by the scale nor JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, exp, isfinite, log
from typing import Any, Final

from zen_agents.logs.memory import checked_count, checked_number, checked_rows

#: A quantile is off by no more than this share of itself.
RELATIVE_ERROR: Final = 0.01
SHORTEST, LONGEST = 1e-6, 1e6
_LOG_FACTOR: Final = log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
_FIRST, _LAST = ceil(log(SHORTEST) / _LOG_FACTOR), ceil(log(LONGEST) / _LOG_FACTOR)
#: From the upper bound of a bucket to the value that is as near to its ends, as a share of them.
_MIDDLE: Final = 1 - RELATIVE_ERROR


class Sketch:
    """Durations, in seconds."""

    __slots__ = ("_buckets", "count", "longest", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        #: How many durations there are, their sum, and the longest.
        self.count, self.total, self.longest = 0, 0.0, 0.0

    def add(self, seconds: float) -> None:
        """Count a duration; one that is negative or no number is none."""
        if not SHORTEST <= seconds <= LONGEST:
            if not (seconds >= 0 and isfinite(seconds)):
                return
            seconds = SHORTEST if seconds < SHORTEST else LONGEST
        bucket, buckets = ceil(log(seconds) / _LOG_FACTOR), self._buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def merge(self, other: Sketch) -> None:
        """Count what another has counted; the result is that of one sketch of everything."""
        for bucket, times in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + times
        self.count += other.count
        self.total += other.total
        self.longest = max(self.longest, other.longest)

    def quantile(self, share: float) -> float | None:
        """Return the duration that `share` (0 to 1) of all do not exceed, to within 1 %; None without any."""
        if not self.count:
            return None
        rank, seen = share * (self.count - 1), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen > rank:
                return min(exp(bucket * _LOG_FACTOR) * _MIDDLE, self.longest)
        return self.longest

    def saved(self) -> list[Any]:
        """Return everything that was counted, for JSON."""
        return [self.total, self.longest, sorted([bucket, times] for bucket, times in self._buckets.items())]

    @classmethod
    def restored(cls, saved: Any) -> Sketch:
        """Return what was saved. What it cannot be is left out."""
        made = cls()
        if not isinstance(saved, list) or len(saved) != 3:
            return made
        for bucket, times in checked_rows(saved[2], width=2):
            if isinstance(bucket, int) and _FIRST <= bucket <= _LAST and (counted := checked_count(times)):
                made._buckets[bucket] = counted
        made.count = sum(made._buckets.values())
        if made.count:
            made.total = max(0.0, checked_number(saved[0]) or 0.0)
            made.longest = min(max(SHORTEST, checked_number(saved[1]) or LONGEST), LONGEST)
        return made


def merged(sketches: Mapping[Any, Sketch]) -> Sketch:
    """Return one sketch of what several have counted."""
    whole = Sketch()
    for sketch in sketches.values():
        whole.merge(sketch)
    return whole
