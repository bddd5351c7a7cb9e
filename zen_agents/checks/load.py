"""The load average: how many processes run or wait, over 1, 5 and 15 minutes.

It is compared with the number of CPUs by rules (`load1 > cpus * 2`), so it is only measured here.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.ports.host import HostView


class LoadCheck(Check):
    """Observes `load1`, `load5`, `load15` (processes)."""

    kind = "load"
    summary = "How many processes run or wait?"
    observes = ("load1", "load5", "load15")

    def __init__(self, *, every_seconds: float) -> None:
        super().__init__(name="load", target="host", every_seconds=every_seconds)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read the three averages."""
        told = zip(self.observes, host.load(), strict=True)
        return tuple(measured(self, name, now, value, f"{value:.2f}") for name, value in told)
