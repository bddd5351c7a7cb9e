"""Whether a queue grows, however unsteadily: its depth has a rising trend that is not chance.

The trend is tested by Mann and Kendall (Mann, "Nonparametric Tests Against Trend", Econometrica 1945) and its slope is that
of Sen ("Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 1968): both mind neither peaks nor outliers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from statistics import median
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.memory import checked_number, checked_rows

#: The window is looked at in so many parts, of each of which the last depth counts.
PARTS: Final = 40
#: Fewer depths than this tell no trend.
LEAST_PARTS: Final = 12
#: Standard deviations from chance: a queue that only wavers looks like this once in 700 times.
CERTAIN: Final = 3.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How a queue grows."""

    depth: float
    #: Entries a second.
    slope: float
    #: Seconds until it has as many entries as it may have; None if no limit is known.
    full_in: float | None


class QueueGrowth:
    """The depth of one queue over `window_seconds`."""

    def __init__(self, window_seconds: float, limit: float | None = None) -> None:
        if not window_seconds > 0:
            raise ValueError("window_seconds must be above 0")
        self._part_seconds, self._limit = window_seconds / PARTS, limit
        #: When and what was seen last, of each part.
        self._depths: dict[int, tuple[float, float]] = {}
        self._now = 0

    def add(self, depth: float, at: float) -> None:
        """Take the depth of the queue at a time (seconds)."""
        self._now = max(self._now, int(at // self._part_seconds))
        self._depths[self._now] = (at, depth)
        self._leave_out()

    def growth(self, now: float) -> Growth | None:
        """Return how it grows; None if it does not, or if too little was seen of at least half of the window."""
        self._now = max(self._now, int(now // self._part_seconds))
        self._leave_out()
        seen = list(self._depths.values())
        if len(seen) < LEAST_PARTS or seen[-1][0] - seen[0][0] < self._part_seconds * PARTS / 2:
            return None
        slope = _slope(seen)
        if slope <= 0 or _certainty([depth for _, depth in seen]) < CERTAIN:
            return None
        depth = seen[-1][1]
        return Growth(depth, slope, None if self._limit is None else max(0.0, self._limit - depth) / slope)

    def _leave_out(self) -> None:
        for part in [part for part in self._depths if part <= self._now - PARTS]:
            del self._depths[part]

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {"part": self._part_seconds, "depths": [list(seen) for seen in self._depths.values()]}

    @classmethod
    def restored(cls, saved: Mapping[str, Any], window_seconds: float, limit: float | None = None) -> QueueGrowth:
        """Return what was saved, if it was of the same window. What it cannot be is left out."""
        made = cls(window_seconds, limit)
        if checked_number(saved.get("part")) == made._part_seconds:
            for row in checked_rows(saved.get("depths"), width=2)[-PARTS:]:
                at, depth = checked_number(row[0]), checked_number(row[1])
                if at is not None and depth is not None:
                    made.add(depth, at)
        return made


def _slope(seen: Sequence[tuple[float, float]]) -> float:
    """Return Sen's slope: the median of those of all pairs."""
    slopes = [(late - early) / (then - at) for (at, early), (then, late) in combinations(seen, 2) if then > at]
    return median(slopes) if slopes else 0.0


def _certainty(depths: Sequence[float]) -> float:
    """Return how many standard deviations the trend is from none (Mann-Kendall's Z, with its correction for ties)."""
    size = len(depths)
    score = sum((late > early) - (late < early) for early, late in combinations(depths, 2))
    ties = sum(_pairs(depths.count(depth)) for depth in set(depths))
    variance = (_pairs(size) - ties) / 18
    return 0.0 if score <= 0 or variance <= 0 else (score - 1) / sqrt(variance)


def _pairs(size: int) -> float:
    return size * (size - 1) * (2 * size + 5)
