"""How large a cache directory is.

A cache that is not there is empty: whoever uses it makes it. A walk that could not see everything knows only a lower bound,
which is told where it is enough: above the rule's own limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.walk import walk


class CacheCheck(Check):
    """Observes `cache.NAME.bytes`: the size of all regular files in it."""

    kind = "cache"
    summary = "How large is this cache?"

    def __init__(self, label: str, *, path: str, enough_bytes: int, every_seconds: float) -> None:
        super().__init__(name=f"cache.{label}", target=f"cache:{label}", every_seconds=every_seconds, timeout_seconds=20.0)
        self._path, self._enough_bytes = path, enough_bytes
        self._names = (f"{self.name}.bytes",)

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Walk the directory and add up."""
        found = walk(host, self._path)
        if found is None:
            return (measured(self, self._names[0], now, 0, f"{self._path} does not exist"),)
        total = sum(file.size for file in found.files)
        if not found.complete and total <= self._enough_bytes:
            return self.unknown(now, f"{self._path} has more files than one look goes through; it is more than it seems")
        least = "" if found.complete else "at least "
        return (measured(self, self._names[0], now, total, f"{least}{size_in_words(total)} in {self._path}"),)
