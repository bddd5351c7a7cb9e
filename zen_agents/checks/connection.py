"""Whether something that this host needs can be connected to, and if not, in which of the ways that mean different things.

`refused`: its host is there, and nobody listens. `timeout`: packets are dropped, or the host is gone. `reset`: it was
accepted and broken off at once. `unreachable`: there is no way there. A name that cannot be resolved is UNKNOWN: that is
said of the name server, not of the target.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random, SystemRandom

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_probes import ProbeResult
from zen_agents.rules.backoff import backoff_seconds
from zen_agents.rules.rule import Rung

#: Room for what happens around the attempts before the sampler gives the check up (seconds).
_SLACK = 1.0
#: Between two attempts of one look: 0.2 s, 0.4 s, 0.8 s ..., so that a moment's refusal is no problem.
_BACKOFF = Rung((), backoff_first_seconds=0.2, backoff_maximum_seconds=2.0, jitter_seconds=0.1)
_MEANS = {
    "refused": "its host is there, and nobody listens at that port",
    "timeout": "packets are dropped on the way, or its host is gone",
    "reset": "it accepts and breaks off at once",
    "unreachable": "there is no way there: look at routes and links first",
    "name_error": "that says nothing about it: look at the name servers",
}


class ConnectionCheck(Probe):
    """Observes `connection.NAME` (judged; the value is how many seconds connecting took)."""

    kind = "connection"
    summary = "Can what this host needs be connected to?"

    def __init__(
        self, label: str, *, host_name: str, port: int, tries: int, every_seconds: float, answer_within_seconds: float,
        random: Random | None = None,
    ) -> None:  # fmt: skip
        longest = _BACKOFF.backoff_maximum_seconds + _BACKOFF.jitter_seconds
        super().__init__(
            name=f"connection.{label}",
            target=f"connection:{label}",
            every_seconds=every_seconds,
            timeout_seconds=tries * answer_within_seconds + (tries - 1) * longest + _SLACK,
        )
        self._host_name, self._port, self._tries = host_name, port, tries
        self._answer_within_seconds, self._random = answer_within_seconds, random or SystemRandom()

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        return ((self._host_name, self._port),)

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Connect; after a refusal again, each time after a longer wait."""
        for attempt in range(1, self._tries + 1):
            result = await self._connect(host)
            # A name server has its own check, and is not asked again and again from here.
            if result.ok or result.error == "name_error" or attempt == self._tries:
                break
            await asyncio.sleep(backoff_seconds(_BACKOFF, attempt, self._random))
        facts, said = {"error": result.error, "tries": str(attempt)}, self._said(result, attempt)
        return (Observation(self.name, self.target, _judge(result), now, max(0.0, result.seconds), said, "", facts),)

    async def _connect(self, host: HostView) -> ProbeResult:
        result = await host.connection(self._host_name, self._port, self._answer_within_seconds)
        if not isinstance(result, ProbeResult) or not isinstance(result.ok, bool):
            raise HostError(f"the connection to {self._host_name} came back as nonsense")
        return result

    def _said(self, result: ProbeResult, tries: int) -> str:
        times = "" if tries == 1 else f" at attempt {tries}" if result.ok else f", {tries} times"
        if result.ok:
            return f"{result.detail}{times}"
        where, means = f"{self._host_name}:{self._port}", _MEANS.get(result.error, result.detail)
        return f"{where}: {result.error}{times}: {means}"


def _judge(result: ProbeResult) -> Status:
    if result.ok:
        return Status.OK
    return Status.UNKNOWN if result.error == "name_error" else Status.PROBLEM
