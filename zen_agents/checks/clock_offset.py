"""By how much this host's clock is off, as time servers say; and whether the daemon that keeps it right runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zen_agents.checks.base import Check, Probe
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.time_answer import median_ahead


class ClockOffsetProbe(Probe):
    """Observes `clock.offset`: seconds by which the clock is ahead of what most servers say; negative: behind."""

    kind = "clock_offset"
    summary = "By how much is the clock off, as time servers say?"
    observes = ("clock.offset",)

    def __init__(self, *, servers: Sequence[str], every_seconds: float, answer_within_seconds: float) -> None:
        super().__init__(
            name="clock_offset",
            target="clock:system",
            every_seconds=every_seconds,
            timeout_seconds=answer_within_seconds + 1.0,
        )
        self._servers, self._within = tuple(servers), answer_within_seconds

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask all servers at once."""
        answers = await asyncio.gather(*(host.server_time(server, self._within) for server in self._servers))
        ahead = median_ahead(list(answers))
        if ahead is None:
            said = [f"{server}: {answer.error or f'{answer.ahead_seconds:+.3f} s'}"
                    for server, answer in zip(self._servers, answers, strict=True)]  # fmt: skip
            return self.unknown(now, f"the servers do not tell what time it is: {', '.join(said)}")
        direction = "ahead" if ahead >= 0 else "behind"
        said_of_all = f"the clock is {abs(ahead):.3f} s {direction}, as {sum(each.ok for each in answers)} servers say"
        return (measured(self, "clock.offset", now, ahead, said_of_all, lowest=float("-inf")),)


class TimeDaemonCheck(Check):
    """Observes `clock.daemon` (judged): the unit that keeps the clock right is active."""

    kind = "time_daemon"
    summary = "Does the daemon run that keeps the clock right?"
    observes = ("clock.daemon",)

    def __init__(self, *, unit: str, every_seconds: float) -> None:
        super().__init__(name="time_daemon", target="clock:system", every_seconds=every_seconds)
        self._unit = unit
        self._watches = (Watch("unit", unit),)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask systemd."""
        unit = host.unit(self._unit)
        if unit is None or unit.load_state == "not-found":
            return self.unknown(now, f"systemd knows no unit {self._unit}; look at: systemctl status {self._unit}")
        if unit.busy or unit.active_state in ("activating", "deactivating", "reloading"):
            return self.unknown(now, f"{unit.id} is {unit.active_state}")
        status = Status.OK if unit.active_state == "active" else Status.PROBLEM
        said = f"{unit.id} is {unit.active_state} ({unit.sub_state})"
        return (Observation("clock.daemon", self.target, status, now, None, said, unit.invocation),)

    def watches(self) -> Sequence[Watch]:
        """Return the unit, so that its end wakes the engine."""
        return self._watches
