"""A journal that is only counted: how fast each unit writes, what of it is dropped, and what the kernel says."""

from __future__ import annotations

from collections.abc import Mapping

from zen_agents.clock import Clock
from zen_agents.errors import HostError, StalePlanError


class SimulatedJournal:
    """What journald would take; time alone fills it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted, self._since = 0.0, clock.now().steady
        self._rates: dict[str, float] = {}
        #: Unit -> lines a second that are kept of it.
        self.limits: dict[str, int] = {}
        #: False: no journald on this host.
        self.kept = True

    def write(self, unit: str, lines_per_second: float) -> None:
        """Let a unit write so fast from now on; "" for what is no unit's."""
        self._settle()
        self._rates[unit] = lines_per_second

    def entries(self) -> int:
        """Return how many were taken."""
        if not self.kept:
            raise HostError("this host keeps no journal; is systemd-journald running?")
        self._settle()
        return int(self._counted)

    def share(self, most: int) -> Mapping[str, int]:
        """Return whose the newest are, as the rates are now."""
        rates = self._taken()
        total = sum(rates.values())
        return {unit: round(most * rate / total) for unit, rate in rates.items()} if total else {}

    def limit(self, unit: str, lines_per_second: int) -> None:
        """Drop what is beyond."""
        if self.limits.get(unit) == lines_per_second:
            raise StalePlanError(f"{unit} is limited to {lines_per_second} lines a second already; nothing was done")
        self._settle()
        self.limits[unit] = lines_per_second

    def lift(self, unit: str) -> None:
        """Take all of it again."""
        if unit not in self.limits:
            raise StalePlanError(f"{unit} is not limited any more; nothing was done")
        self._settle()
        del self.limits[unit]

    def _taken(self) -> Mapping[str, float]:
        return {unit: min(rate, self.limits.get(unit, rate)) for unit, rate in self._rates.items()}

    def _settle(self) -> None:
        now = self._clock.now().steady
        self._counted += sum(self._taken().values()) * (now - self._since)
        self._since = now
