"""What is usual at this hour: the number of lines in a stretch of time, learned for each hour of the week.

Seasonal exponential smoothing of the number and of its deviation, with a confidence band (Brutlag, "Aberrant Behavior
Detection in Time Series for Network Monitoring", LISA 2000), without his trend: each of the 168 hours of the week has a mean
and a mean absolute deviation of its own. A number outside the band is learned as the band's edge, so that one flood does not
become usual. Until an hour of the week has come twice, the hour of the day stands in, once three days are known; before that
nothing is said. Hours are those of the people's clocks (`seasons`), so that summer time moves nothing that follows them.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.memory import checked_count, checked_number, checked_rows
from zen_agents.logs.mining.seasons import HOUR, Hours

_HOURS_OF_DAY: Final = 24
_HOURS_OF_WEEK: Final = 168
#: The epoch was a Thursday; the week of the slots begins on Monday.
_TO_MONDAY: Final = 3 * 24
#: So often an hour must have come before it is believed.
WEEKS_TO_LEARN: Final = 2
DAYS_TO_LEARN: Final = 3
#: The last four times weigh about as much as everything before them.
_MEMORY: Final = 4
#: Deviations from the mean to the edge of the band.
_WIDTH_ABOVE: Final = 4.0
_WIDTH_BELOW: Final = 2.0
#: Of a normal distribution, the standard deviation is this many mean absolute deviations.
_SIGMA: Final = sqrt(1.5707963267948966)


@dataclass(frozen=True, slots=True)
class Usual:
    """How many lines are usual in one stretch: the mean, and a band that chance alone hardly ever leaves."""

    mean: float
    low: float
    high: float
    #: Whether this hour of the week is known; otherwise only this hour of the day.
    of_week: bool


class _Hour:
    """One hour of the day or week."""

    __slots__ = ("deviation", "mean", "seen")

    def __init__(self, mean: float = 0.0, deviation: float = 0.0, seen: int = 0) -> None:
        self.mean, self.deviation, self.seen = mean, deviation, seen

    def learn(self, count: float, stretches: int) -> None:
        """Take one more number; `stretches` of them are an hour."""
        self.seen += 1
        share = max(1.0 / self.seen, 1.0 / (_MEMORY * stretches))
        if self.seen > 1:
            self.deviation += share * (abs(count - self.mean) - self.deviation)
        self.mean += share * (count - self.mean)


class SeasonalBaseline:
    """Learns how many lines are usual in each stretch of `seconds` (a divisor of an hour)."""

    def __init__(self, hours: Hours, seconds: int = HOUR) -> None:
        if seconds < 1 or HOUR % seconds:
            raise ValueError("an hour must be a whole number of stretches")
        self._hours_of, self._stretches = hours.of, HOUR // seconds
        self._day = [_Hour() for _ in range(_HOURS_OF_DAY)]
        self._week = [_Hour() for _ in range(_HOURS_OF_WEEK)]

    def usual(self, at: float) -> Usual | None:
        """Return what is usual for a stretch that began then (seconds since the epoch); None while that is being learned."""
        day, week = self._hours(at)
        if week.seen >= WEEKS_TO_LEARN * self._stretches:
            return _band(week, of_week=True)
        if sum(hour.seen for hour in self._day) >= DAYS_TO_LEARN * _HOURS_OF_DAY * self._stretches and day.seen:
            return _band(day, of_week=False)
        return None

    def learn(self, at: float, count: float) -> None:
        """Take the number of lines of a whole stretch that began then."""
        usual = self.usual(at)
        if usual is not None:
            count = min(count, usual.high)
        for hour in self._hours(at):
            hour.learn(count, self._stretches)

    def _hours(self, at: float) -> tuple[_Hour, _Hour]:
        hour = self._hours_of(at)
        return self._day[hour % _HOURS_OF_DAY], self._week[(hour + _TO_MONDAY) % _HOURS_OF_WEEK]

    def saved(self) -> list[list[float]]:
        """Return everything that was learned, for JSON: the hours of the day, then those of the week."""
        return [[round(hour.mean, 3), round(hour.deviation, 3), hour.seen] for hour in (*self._day, *self._week)]

    @classmethod
    def restored(cls, hours: Hours, seconds: int, saved: Any) -> SeasonalBaseline:
        """Return what was saved; what cannot be is learned anew."""
        made = cls(hours, seconds)
        rows = checked_rows(saved, width=3)
        if len(rows) != _HOURS_OF_DAY + _HOURS_OF_WEEK:
            return made
        known = [hour for row in rows if (hour := _restored_hour(row)) is not None]
        if len(known) == len(rows):
            made._day, made._week = known[:_HOURS_OF_DAY], known[_HOURS_OF_DAY:]
        return made


def _restored_hour(row: list[Any]) -> _Hour | None:
    mean, deviation = checked_number(row[0]), checked_number(row[1])
    if mean is None or deviation is None or min(mean, deviation) < 0:
        return None
    return _Hour(mean, deviation, checked_count(row[2]))


def _band(hour: _Hour, *, of_week: bool) -> Usual:
    sigma = _SIGMA * hour.deviation
    # Counts vary by at least the root of their mean, even where the few that were seen happened to be equal.
    above = _WIDTH_ABOVE * max(sigma, sqrt(hour.mean), 1.0)
    return Usual(hour.mean, max(0.0, hour.mean - _WIDTH_BELOW * sigma), hour.mean + above, of_week)
