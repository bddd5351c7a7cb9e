"""How full a connection pool is, and how many of its connections were forgotten. Both are numbers, for rules to judge.

A server that has no connection left even for this look is full. One that cannot be reached, lets nobody in, or shows others'
sessions to nobody says nothing about its pool, so that is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Probe
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.model.plugin import PluginAnswer
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.ports.host import HostView
from zen_agents.ports.host_plugins import PluginCall

#: What a look takes beside waiting for the server (seconds), also when it has to wait for its turn.
_SLACK = 20.0
#: The exit status of a plugin that cannot tell.
_PLUGIN_UNKNOWN = 3
#: Kind of pool -> how many of the three numbers it tells.
_TOLD = {"postgres": 3, "pgbouncer": 2, "http": 1, "plugin": 1}


class PoolCheck(Probe):
    """Observes `pool.NAME.percent_used`, of servers `.sessions` (of the named user), and at PostgreSQL `.forgotten`."""

    __slots__ = ("_answer_within_seconds", "_asked")

    kind = "pool"
    summary = "How full is this connection pool, and how many connections did its application forget?"

    def __init__(self, label: str, asked: PoolQuestion, *, every_seconds: float, answer_within_seconds: float) -> None:
        super().__init__(
            name=f"pool.{label}",
            target=f"pool:{label}",
            every_seconds=every_seconds,
            timeout_seconds=2 * answer_within_seconds + _SLACK,
        )
        self._asked, self._answer_within_seconds = asked, answer_within_seconds

    @property
    def observes(self) -> tuple[str, ...]:
        told = ("percent_used", "sessions", "forgotten")[: _TOLD[self._asked.kind]]
        return tuple(f"{self.name}.{each}" for each in told)

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        host, _, port = self._asked.server.rpartition(":")
        return ((host.strip("[]"), int(port)),) if host else ()

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Have the server asked."""
        look = await self._look(host)
        if not isinstance(look, PoolLook):
            raise HostError(f"the look at {self.target} came back with nonsense")
        if look.untold:
            return self.unknown(now, look.untold)
        if look.full:
            full = self._observation(self.observes[0], look.percent, f"no connection is left: {look.full}", now)
            return (full, *self.unknown(now, "the server has no connection left to ask by")[1:])
        return self._numbers(look, now)

    async def _look(self, host: HostView) -> PoolLook:
        return await host.pool(self._asked, self._answer_within_seconds)

    def _numbers(self, look: PoolLook, now: Instant) -> Sequence[Observation]:
        taken = f"{look.used} of {look.limit} connections of {look.scarce} are taken"
        of = f"{self._asked.user}'s" if self._asked.user else "applications'"
        whose, forgotten = f"{look.meant} sessions are {of}", f"{len(look.forgotten)} of them forgotten"
        all_of_it = ", ".join((taken, whose, forgotten)[: len(self.observes)])
        values = (look.percent, float(look.meant), float(len(look.forgotten)))
        words = (all_of_it, whose, f"{whose}, {forgotten}")
        return [self._observation(*each, now) for each in zip(self.observes, values, words, strict=False)]

    def _observation(self, name: str, value: float, said: str, now: Instant) -> Observation:
        return Observation(name, self.target, Status.OK, now, value, said)


class PluginPoolCheck(PoolCheck):
    """The same of a pool about which a monitoring plugin tells: `used` and `limit` of its performance data."""

    __slots__ = ("_call",)

    def __init__(self, label: str, call: PluginCall, *, every_seconds: float) -> None:
        asked = PoolQuestion("plugin")
        super().__init__(label, asked, every_seconds=every_seconds, answer_within_seconds=call.timeout_seconds)
        self._call = call

    async def _look(self, host: HostView) -> PoolLook:
        answer = await host.plugin(self._call)
        if not isinstance(answer, PluginAnswer):
            raise HostError(f"the plugin of {self.target} came back with nonsense")
        used, limit = (answer.values.get(label, -1.0) for label in ("used", "limit"))
        if answer.level == _PLUGIN_UNKNOWN or used < 0 or limit <= 0:
            return PoolLook(untold=f"the plugin does not say how many are taken (`used` and `limit`): {answer.text}")
        return PoolLook(round(used), round(limit), "the pool")
