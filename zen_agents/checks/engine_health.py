"""The engine's own health: what it weighs, whether its loop is late, whether it can write its state.

Who watches must not become the load. What only the engine knows is handed in through `ports.vitals.Vitals`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process
from zen_agents.ports.vitals import Vitals


class EngineCheck(Check):
    """Observes `engine.rss` (bytes), `.cpu_percent` (of one CPU), `.loop_lag` (seconds) and `.store_writable` (judged)."""

    kind = "engine"
    summary = "Is the engine itself well and light?"
    observes = ("engine.rss", "engine.cpu_percent", "engine.loop_lag", "engine.store_writable")

    def __init__(self, *, every_seconds: float, vitals: Vitals, pid: int | None = None) -> None:
        super().__init__(name="engine", target="host", every_seconds=every_seconds)
        self._vitals, self._pid = vitals, pid or os.getpid()
        #: CPU seconds and steady time of the last look.
        self._last: tuple[float, float] | None = None

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read the engine's own process, and ask the engine for the rest."""
        process = host.process(self._pid)
        writable = self._vitals.store_writable()
        state = Status.OK if writable else Status.PROBLEM
        said = "the state can be written" if writable else "the state cannot be written; look at its disk"
        lag = self._vitals.loop_lag_seconds()
        return (
            *self._own(process, now),
            measured(self, "engine.loop_lag", now, lag, f"{lag * 1000:.0f} ms late"),
            Observation("engine.store_writable", self.target, state, now, float(writable), said),
        )

    def _own(self, process: Process | None, now: Instant) -> Sequence[Observation]:
        if process is None:
            return [untold(self, name, now, "/proc does not show the engine itself") for name in self.observes[:2]]
        size = size_in_words(process.resident_bytes)
        return measured(self, "engine.rss", now, process.resident_bytes, size), self._cpu(process, now)

    def _cpu(self, process: Process, now: Instant) -> Observation:
        last, self._last = self._last, (process.cpu_seconds, now.steady)
        if last is None or now.steady <= last[1]:
            return untold(self, "engine.cpu_percent", now, "first look; the next one can compare")
        percent = 100.0 * (process.cpu_seconds - last[0]) / (now.steady - last[1])
        return measured(self, "engine.cpu_percent", now, percent, f"{percent:.2f} % of a CPU")
