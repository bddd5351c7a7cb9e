"""How often one kind of lines comes, compared with what is usual: bursts, and kinds that vanished.

Runs on the wall clock by which the lines arrive, for seasons are those of people; a time that goes back is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.memory import checked_count, checked_number
from zen_agents.logs.mining.baseline import SeasonalBaseline, Usual
from zen_agents.logs.mining.seasons import HOUR, Hours

#: Fewer lines than this in a stretch are no burst, whatever is usual.
LEAST_BURST: Final = 10
#: It has vanished once so many lines are missing that came even in the quietest weeks.
MISSED_TO_VANISH: Final = 6.0
#: Where nobody listened for more than so many stretches, what came in them is not known.
_MOST_UNHEARD: Final = 2


class Event(StrEnum):
    """What became of a rate."""

    BURST = "burst"
    BURST_OVER = "burst over"
    VANISHED = "vanished"
    CAME_BACK = "came back"


@dataclass(frozen=True, slots=True)
class RateChange:
    """A rate left what is usual, or came back to it."""

    event: Event
    #: Seconds since the epoch.
    at: float
    #: Lines of the stretch so far, and how many of them are usual.
    lines: int
    usual: Usual | None


class Rate:
    """The rate of one kind of lines. A burst is told within its stretch, at the line that leaves the band."""

    def __init__(self, started_at: float, hours: Hours, seconds: int = HOUR) -> None:
        self._seconds = seconds
        self._baseline = SeasonalBaseline(hours, seconds)
        #: The stretch that is being counted, in stretches since the epoch, and whether it is heard from its beginning.
        self._stretch, self._whole = int(started_at // seconds), False
        self._lines = 0
        self._missed = 0.0
        self.bursts = self.vanished = False

    def add(self, lines: int, at: float) -> list[RateChange]:
        """Count lines (0 to let time pass, at least once a stretch) that came then; return what that changed."""
        changed = self._advance(int(at // self._seconds), at)
        self._lines += lines
        usual = self.usual
        if lines and self.vanished:
            self.vanished = False
            changed.append(RateChange(Event.CAME_BACK, at, self._lines, usual))
        if not self.bursts and usual is not None and self._lines > max(usual.high, LEAST_BURST):
            self.bursts = True
            changed.append(RateChange(Event.BURST, at, self._lines, usual))
        return changed

    @property
    def usual(self) -> Usual | None:
        """What is usual in the present stretch; None while too little is known."""
        return self._baseline.usual(self._stretch * self._seconds)

    def _advance(self, stretch: int, at: float) -> list[RateChange]:
        unheard = stretch - self._stretch
        if unheard <= 0:
            return []
        if unheard > _MOST_UNHEARD:
            self._stretch, self._whole, self._lines = stretch, False, 0
            return []
        changed: list[RateChange] = []
        while self._stretch < stretch:
            changed += self._close(at)
            self._stretch, self._whole, self._lines = self._stretch + 1, True, 0
        return changed

    def _close(self, at: float) -> list[RateChange]:
        """Judge and learn a stretch that is over."""
        changed: list[RateChange] = []
        usual = self.usual
        if self.bursts and (usual is None or self._lines <= max(usual.high, LEAST_BURST)):
            self.bursts = False
            changed.append(RateChange(Event.BURST_OVER, at, self._lines, usual))
        if not self._whole:
            return changed
        self._missed = 0.0 if self._lines else self._missed + (usual.low if usual is not None and usual.of_week else 0.0)
        if self._missed >= MISSED_TO_VANISH and not self.vanished:
            self.vanished = True
            changed.append(RateChange(Event.VANISHED, at, 0, usual))
        if not self.vanished:
            self._baseline.learn(self._stretch * self._seconds, self._lines)
        return changed

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        return {
            "seconds": self._seconds, "baseline": self._baseline.saved(), "stretch": self._stretch, "whole": self._whole,
            "lines": self._lines, "missed": self._missed, "bursts": self.bursts, "vanished": self.vanished,
        }  # fmt: skip

    @classmethod
    def restored(cls, saved: Mapping[str, Any], started_at: float, hours: Hours, seconds: int = HOUR) -> Rate:
        """Return what was saved, if it was of stretches as long as these; what cannot be is learned anew."""
        made = cls(started_at, hours, seconds)
        if saved.get("seconds") != seconds:
            return made
        made._baseline = SeasonalBaseline.restored(hours, seconds, saved.get("baseline"))
        made._missed = max(0.0, checked_number(saved.get("missed")) or 0.0)
        made.bursts, made.vanished = saved.get("bursts") is True, saved.get("vanished") is True
        if checked_count(saved.get("stretch")) == made._stretch:
            made._lines, made._whole = checked_count(saved.get("lines")), saved.get("whole") is True
        return made
