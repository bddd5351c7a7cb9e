"""Whether somebody set the clock: the wall clock against the steady timeline since the last look.

The engine's own limits follow the steady timeline and do not mind, but certificates, cron jobs and logs do. Slewing by NTP
is far below what counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.ports.host import HostView


class ClockCheck(Check):
    """Observes `clock.step_seconds`: by how much the wall clock jumped since the last look; negative: back."""

    kind = "clock"
    summary = "Did the clock jump since the last look?"
    observes = ("clock.step_seconds",)

    def __init__(self, *, every_seconds: float) -> None:
        super().__init__(name="clock", target="host", every_seconds=every_seconds)
        self._last: Instant | None = None

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare how far both timelines came."""
        del host
        last, self._last = self._last, now
        if last is None:
            return self.unknown(now, "first look; the next one can compare")
        step = (now.wall - last.wall).total_seconds() - (now.steady - last.steady)
        # Below a tenth of a second it is the time between reading the two clocks.
        step = step if abs(step) >= 0.1 else 0.0
        direction = "forward" if step > 0 else "back"
        detail = f"the clock was set {direction} by {abs(step):.1f} s" if step else ""
        return (measured(self, "clock.step_seconds", now, step, detail, lowest=float("-inf")),)
