"""Whether a process of those that are meant has used a CPU for too long."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.model.duration import duration
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.process_pattern import ProcessPattern, perhaps_runaways, runaways, with_niceness


class RunawayCheck(Check):
    """Observes `runaway.NAME` (judged; the value is the percent of one CPU that the worst of them uses)."""

    __slots__ = ("_for", "_nice", "_pattern", "_percent", "_tolerates")

    kind = "runaway"
    summary = "Has one of these processes used a CPU for too long?"

    def __init__(
        self, name: str, pattern: ProcessPattern, *, every_seconds: float, percent: float, for_seconds: float,
        nice: int | None, tolerated_seconds: float | None,
    ) -> None:  # fmt: skip
        """One whose niceness is at least `nice` takes what nobody else wants: for `tolerated_seconds`, None for ever."""
        super().__init__(name=f"runaway.{name}", target=f"process:{name}", every_seconds=every_seconds)
        self._pattern, self._percent, self._for = pattern, percent, for_seconds
        self._nice, self._tolerates = nice, tolerated_seconds

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare the process table with that of the look before."""
        tamed = 0
        for busy, nice in with_niceness(runaways(self._pattern, self._percent, self._for, host), host):
            is_tamed = self._nice is not None and nice >= self._nice
            if is_tamed and (self._tolerates is None or busy.seconds < self._tolerates):
                tamed += 1
                continue
            who = f"{busy.process.name} ({busy.process.pid})"
            said = f"{who} has used {busy.percent:.0f} % of a CPU for {duration(busy.seconds)}"
            said += f", at niceness {nice}" if is_tamed else ""
            return (Observation(self.name, self.target, Status.PROBLEM, now, busy.percent, said, busy.process.fingerprint),)
        perhaps = perhaps_runaways(self._pattern, self._percent, self._for, host)
        for busy, nice in with_niceness(perhaps, host):
            if self._nice is None or nice < self._nice:
                who = f"{busy.process.name} ({busy.process.pid})"
                known = f"whether for {duration(self._for)} is known later, it was not looked at before"
                return self.unknown(now, f"{who} has used {busy.percent:.0f} % of a CPU; {known}")
        said = f"{tamed} of them take only what nobody else wants" if tamed else "none of them is busy for so long"
        return (Observation(self.name, self.target, Status.OK, now, 0.0, said),)
