"""Whether the main process of a service still wakes up: for one that answers nobody, and does its work every so often.

How often a process has gone to sleep by itself is counted by the kernel. While that number stands still the process is
stopped, waits for something that does not come, or loops; whichever it is, it does not do its work.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.process import Finder
from zen_agents.clock import Instant
from zen_agents.model.duration import duration
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import ENDED, Process

_TICKS = os.sysconf("SC_CLK_TCK")


class WakesCheck(Check):
    """Observes `wakes.NAME` (judged)."""

    __slots__ = ("_find", "_is_awaited", "_last", "_since", "_within")

    kind = "wakes"
    summary = "Does the main process of this service still wake up by itself?"

    def __init__(self, service: str, find: Finder, *, within_seconds: float, every_seconds: float) -> None:
        super().__init__(name=f"wakes.{service}", target=f"service:{service}", every_seconds=every_seconds)
        self._find, self._within = find, within_seconds
        #: The process with how often it had gone to sleep, and since when (steady seconds) that is so.
        self._last, self._since = ("", 0), 0.0
        #: No change was seen yet, so that it may have stood still before.
        self._is_awaited = True

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare how often it has gone to sleep with the look before."""
        process = self._find(host)
        if process is None or process.state in ENDED:
            return self.unknown(now, "no process of it runs")
        seen = process.fingerprint, host.sleeps(process)
        if seen != self._last:
            self._is_awaited = seen[0] != self._last[0]
            self._last, self._since = seen, now.steady
        status, said = self._judge(process, now.steady - self._since, host)
        return (Observation(self.name, self.target, status, now, None, said, process.fingerprint),)

    def _judge(self, process: Process, still_seconds: float, host: HostView) -> tuple[Status, str]:
        who = f"process {process.pid} ({process.name})"
        if still_seconds >= self._within:
            stopped = ", it is stopped" if process.state in "Tt" else ""
            return Status.PROBLEM, f"{who} has not woken up for {duration(still_seconds)}{stopped}"
        # Whoever has just started has been awake.
        is_new = host.boot_seconds() - process.start_time / _TICKS < self._within
        if self._is_awaited and not is_new:
            return Status.UNKNOWN, f"whether {who} wakes up is known after {duration(self._within - still_seconds)}"
        return Status.OK, f"{who} wakes up"
