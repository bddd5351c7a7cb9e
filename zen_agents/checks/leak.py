"""Whether the processes of a service take more and more: memory, descriptors, places in the process table.

Memory is that of its largest process: to add up those that share some would count it often. Growth counts only if it was
steady over the whole span, and only of a process that is older than that: whoever starts, grows.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.disk import slope
from zen_agents.checks.measured import measured
from zen_agents.checks.process import Finder
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.duration import duration
from zen_agents.model.observation import Observation, Status
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import ENDED, Process, family

_TICKS = os.sysconf("SC_CLK_TCK")
#: So many looks make the trend, and at least so many; those that come closer together are not kept.
_MOST_LOOKS, _LEAST_LOOKS = 120, 5
#: So much of the growth, from 0 to 1, has to lie on one line (the square of the correlation).
_STEADY = 0.9
#: So much of the span has to be covered.
_COVERED = 0.8
#: Of so many processes of one service descriptors are counted: each costs three reads.
_MOST_COUNTED = 32


class LeakCheck(Check):
    """Observes `leak.NAME.memory` (judged, in bytes), `leak.NAME.descriptors_percent` and `leak.NAME.zombies`."""

    __slots__ = ("_ahead", "_find", "_grower", "_limit", "_looks", "_names", "_over")

    kind = "leak"
    summary = "Does this service take ever more memory or descriptors, or leave ended children behind?"

    def __init__(
        self, service: str, find: Finder, *, every_seconds: float, memory_bytes: int | None, over_seconds: float,
        ahead_seconds: float,
    ) -> None:  # fmt: skip
        """Memory is bad above `memory_bytes`, and when growth over `over_seconds` leads to an end in `ahead_seconds`."""
        super().__init__(name=f"leak.{service}", target=f"service:{service}", every_seconds=every_seconds)
        self._find, self._limit, self._over, self._ahead = find, memory_bytes, over_seconds, ahead_seconds
        self._names = (f"{self.name}.memory", f"{self.name}.descriptors_percent", f"{self.name}.zombies")
        #: Which process grows, and its (steady seconds, bytes), oldest first.
        self._grower = ""
        self._looks: deque[tuple[float, float]] = deque(maxlen=_MOST_LOOKS)

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look at the main process of the service and at all that descend from it."""
        main = self._find(host)
        if main is None or main.state in ENDED:
            return self.unknown(now, "no process of it runs")
        members = family(main, host)
        alive = [member for member in members if member.state not in ENDED]
        memory, descriptors, zombies = self._names
        left = len(members) - len(alive)
        # Most services are one process.
        largest = max(alive, key=lambda member: member.resident_bytes) if len(alive) > 1 else main
        who = main.fingerprint
        return (
            self._memory(memory, largest, who if largest is main else largest.fingerprint, host, now),
            self._descriptors(descriptors, alive, who, host, now),
            measured(self, zombies, now, left, f"{left} of its children have ended and are not asked for"),
        )

    def _descriptors(
        self, name: str, alive: Sequence[Process], fingerprint: str, host: HostView, now: Instant
    ) -> Observation:
        worst, said = -1.0, ""
        for member in alive[:_MOST_COUNTED]:
            try:
                opened, limit = host.descriptors(member)
            except HostError:
                # A child that ended meanwhile leaks nothing; of the main process it has to be known.
                if member is alive[0]:
                    raise
                continue
            if limit > 0 and 100.0 * opened / limit > worst:
                worst = 100.0 * opened / limit
                said = f"{member.name} ({member.pid}) has {opened} of {limit} descriptors open"
        return measured(self, name, now, worst, said, fingerprint=fingerprint)

    def _memory(self, name: str, largest: Process, fingerprint: str, host: HostView, now: Instant) -> Observation:
        size = largest.resident_bytes
        status, said = Status.OK, f"{largest.name} ({largest.pid}) holds {size_in_words(size)}"
        if self._limit is not None and size > self._limit:
            status, said = Status.PROBLEM, f"{said}, more than {size_in_words(self._limit)}"
        elif (growth := self._growth(largest, fingerprint, host, now)) is None:
            status, said = Status.UNKNOWN, f"{said}; whether it grows is known after {duration(self._over)}"
        elif growth > 0:
            room, what = self._room(largest, host)
            if room < growth * self._ahead:
                rate = size_in_words(growth * 60)
                status = Status.PROBLEM
                said = f"{said} and grows by {rate} a minute: {what} is reached in {duration(room / growth)}"
        return Observation(name, self.target, status, now, float(size), said, fingerprint)

    def _growth(self, process: Process, who: str, host: HostView, now: Instant) -> float | None:
        """Return bytes a second of a steady growth, 0 for none; None while that cannot be told."""
        if who != self._grower:
            self._grower = who
            self._looks.clear()
        if not self._looks or now.steady >= self._looks[-1][0] + self._over / _MOST_LOOKS:
            self._looks.append((now.steady, float(process.resident_bytes)))
        while self._looks[0][0] < now.steady - self._over:
            self._looks.popleft()
        if host.boot_seconds() - process.start_time / _TICKS < self._over:
            return 0.0
        if len(self._looks) < _LEAST_LOOKS or now.steady - self._looks[0][0] < _COVERED * self._over:
            return None
        return steady_growth(self._looks)

    def _room(self, process: Process, host: HostView) -> tuple[float, str]:
        """Return how many bytes it may still grow, and what is at the end of them."""
        ends = [(float(host.memory().available), "the end of the host's memory")]
        if self._limit is not None:
            ends.append((float(self._limit - process.resident_bytes), f"its limit of {size_in_words(self._limit)}"))
        if (kill := host.memory_limit(process)) is not None:
            ends.append((float(kill - process.resident_bytes), f"the {size_in_words(kill)} of its cgroup"))
        room, what = min(ends)
        return max(0.0, room), what


def steady_growth(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of (x, y) points if they rise and lie on one line, else 0."""
    rise = slope(points)
    if rise <= 0:
        return 0.0
    backwards = slope([(y, x) for x, y in points])
    return rise if rise * backwards >= _STEADY else 0.0
