"""How fast a unit writes to the journal.

All lines together are counted through by journald, so that asking costs one small read. Only when they are more than the
unit may write alone is it asked whose they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.ports.host import HostView

#: So many of the newest lines tell whose they are.
_SAMPLE = 1000


class LogRateCheck(Check):
    """Observes `log_rate.NAME`: lines a second of one unit since the last look, or of all together while these are few."""

    kind = "log_rate"
    summary = "How many lines a second does this unit write to the journal?"

    def __init__(self, label: str, *, unit: str, above: float, every_seconds: float) -> None:
        super().__init__(name=f"log_rate.{label}", target=f"log_rate:{label}", every_seconds=every_seconds)
        self._unit, self._above = unit, above
        #: Number of the newest entry and steady seconds of the last look.
        self._last: tuple[int, float] | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare how far journald has counted."""
        newest = host.journal_entries()
        last, self._last = self._last, (newest, now.steady)
        if last is None or now.steady <= last[1]:
            return (untold(self, self.name, now, "first look; the next one can compare"),)
        if newest < last[0]:
            return (untold(self, self.name, now, "the journal begins anew; the next look can compare"),)
        every = (newest - last[0]) / (now.steady - last[1])
        if every <= self._above:
            said = f"all units together write {every:.0f} lines a second"
            return (measured(self, self.name, now, every, said),)
        share = host.journal_share(_SAMPLE)
        seen = sum(share.values())
        rate = every * share.get(self._unit, 0) / seen if seen else float("nan")
        said = f"{self._unit} writes {rate:.0f} of {every:.0f} lines a second"
        return (measured(self, self.name, now, rate, said),)
