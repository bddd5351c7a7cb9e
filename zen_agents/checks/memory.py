"""Memory and swap space in use.

Used memory is total less available: what the kernel could give back at once (caches) is not in use. In a container its own
limit is the total. A host without swap space has 0 % of it in use; that is a fact, not missing data.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, share_percent, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_resources import Memory


class MemoryCheck(Check):
    """Observes `memory.percent`, `memory.available` (bytes) and `swap.percent`."""

    kind = "memory"
    summary = "How much memory and swap space is in use?"
    observes = ("memory.percent", "memory.available", "swap.percent")

    def __init__(self, *, every_seconds: float) -> None:
        super().__init__(name="memory", target="host", every_seconds=every_seconds)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compute both percentages."""
        memory = host.memory()
        if not memory.total > 0:
            return self.unknown(now, "the host says that it has no memory at all")
        percent = share_percent(memory.total - memory.available, memory.total)
        free = f"{size_in_words(memory.available)} of {size_in_words(memory.total)} available"
        return (
            measured(self, "memory.percent", now, percent, f"memory {percent:.0f} % in use, {free}"),
            measured(self, "memory.available", now, memory.available, free),
            self._swap(memory, now),
        )

    def _swap(self, memory: Memory, now: Instant) -> Observation:
        if memory.swap_total == 0:
            return measured(self, "swap.percent", now, 0.0, "this host has no swap space")
        if memory.swap_total < 0:
            return untold(self, "swap.percent", now, "the host says that it has less than no swap space")
        percent = share_percent(memory.swap_total - memory.swap_free, memory.swap_total)
        return measured(self, "swap.percent", now, percent, f"swap space {percent:.0f} % in use")
