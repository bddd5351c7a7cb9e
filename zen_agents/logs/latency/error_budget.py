"""Whether errors use up what an objective leaves for them too fast.

Two pairs of windows, each of a long one that shows that it matters and a short one that shows that it still goes on (Beyer
et al., "The Site Reliability Workbook", 2018, chapter 5, alerting method 6): errors that would use up 2 % of a month's
budget in an hour are fast, 5 % in six hours slow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.memory import checked_count, checked_number, checked_rows

_MINUTE: Final = 60
#: Fewer errors than this in the long window use up no budget worth telling.
LEAST_ERRORS: Final = 10


@dataclass(frozen=True, slots=True)
class Pair:
    """Two windows (minutes), and the burn rate that both must reach: how many times faster than the objective allows."""

    name: str
    long_minutes: int
    short_minutes: int
    rate: float


PAIRS: Final = (Pair("fast", 60, 5, 14.4), Pair("slow", 360, 30, 6.0))
_KEPT_MINUTES: Final = max(pair.long_minutes for pair in PAIRS)


@dataclass(frozen=True, slots=True)
class Burn:
    """The budget is being used up too fast."""

    pair: Pair
    #: Burn rates over the long and the short window: 1 uses up the budget exactly in the time it is made for.
    long_rate: float
    short_rate: float
    #: Errors and all requests of the long window.
    errors: int
    requests: int


class ErrorBudget:
    """Requests and errors of the last six hours, by the minute. Says nothing before a short window has passed."""

    def __init__(self, objective: float, started_at: float) -> None:
        """Take the share of requests that are to succeed, 0.999 for instance, and the time (seconds) it begins."""
        if not 0 < objective < 1:
            raise ValueError("the objective must lie between 0 and 1")
        self._allowed = 1 - objective
        self._started = self._now = int(started_at // _MINUTE)
        #: Of each minute: all requests, and the errors among them.
        self._minutes: dict[int, list[int]] = {}

    def add(self, requests: int, errors: int, at: float) -> None:
        """Count requests that came then, `errors` of which failed; what is older than the longest window counts nothing."""
        self._advance(at)
        if (came := int(at // _MINUTE)) <= self._now - _KEPT_MINUTES:
            return
        minute = self._minutes.setdefault(came, [0, 0])
        minute[0] += requests
        minute[1] += min(errors, requests)

    def burns(self, now: float) -> list[Burn]:
        """Return for which windows the budget is used up too fast, the fast one first."""
        self._advance(now)
        return [burn for pair in PAIRS if (burn := self._burn(pair)) is not None]

    def _burn(self, pair: Pair) -> Burn | None:
        requests, errors = self._sums(pair.long_minutes)
        recent, failed = self._sums(pair.short_minutes)
        if self._now - self._started < pair.short_minutes or errors < LEAST_ERRORS or not recent:
            return None
        burn = Burn(pair, errors / requests / self._allowed, failed / recent / self._allowed, errors, requests)
        return burn if min(burn.long_rate, burn.short_rate) >= pair.rate else None

    def _sums(self, minutes: int) -> tuple[int, int]:
        recent = [counts for minute, counts in self._minutes.items() if minute > self._now - minutes]
        return sum(requests for requests, _ in recent), sum(errors for _, errors in recent)

    def _advance(self, at: float) -> None:
        minute = int(at // _MINUTE)
        if minute <= self._now:
            return
        self._now = minute
        for old in [old for old in self._minutes if old <= minute - _KEPT_MINUTES]:
            del self._minutes[old]

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {"started": self._started, "minutes": [[minute, *counts] for minute, counts in self._minutes.items()]}

    @classmethod
    def restored(cls, objective: float, now: float, saved: Mapping[str, Any]) -> ErrorBudget:
        """Return what was saved, under an objective that may have changed since. What it cannot be is left out."""
        made = cls(objective, now)
        started = checked_number(saved.get("started"))
        if started is not None:
            made._started = min(made._started, int(started))
        for minute, requests, errors in checked_rows(saved.get("minutes"), width=3):
            counts = [checked_count(requests), checked_count(errors)]
            if isinstance(minute, int) and made._now - _KEPT_MINUTES < minute <= made._now and counts[1] <= counts[0]:
                made._minutes[minute] = counts
        return made
