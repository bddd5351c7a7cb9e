"""How busy the CPUs are, and how many may be used.

Percentages are differences between two looks, so the first look cannot tell. A container's quota counts, not the CPUs of
the host below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, share_percent, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.ports.host import HostView
from zen_agents.ports.host_resources import CpuTimes

#: CPU seconds (busy and idle, of all CPUs) below which two looks are too close to compare: clock ticks are 10 ms.
_LEAST_SECONDS = 0.2


class CpuCheck(Check):
    """Observes `cpu.percent` (0 to 100, of all CPUs) and `cpus` (how many, may be a fraction)."""

    kind = "cpu"
    summary = "How busy are the CPUs since the last look?"
    observes = ("cpu.percent", "cpus")

    def __init__(self, *, every_seconds: float) -> None:
        super().__init__(name="cpu", target="host", every_seconds=every_seconds)
        self._last: CpuTimes | None = None

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare with the last look."""
        times, last = host.cpu_times(), self._last
        count = measured(self, "cpus", now, times.count, lowest=0.001)
        if last is None:
            self._last = times
            return untold(self, "cpu.percent", now, "first look; the next one can compare"), count
        busy, idle = times.busy - last.busy, times.idle - last.idle
        if 0 <= busy + idle < _LEAST_SECONDS:
            return untold(self, "cpu.percent", now, "looked at again too soon to compare"), count
        self._last = times
        percent = share_percent(busy, busy + idle)
        return measured(self, "cpu.percent", now, percent, f"CPU {percent:.0f} % busy"), count
