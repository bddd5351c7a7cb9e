"""How many connections the firewall tracks, of those that it can.

When there is room for no other one, the kernel drops the first packet of every new connection, in and out, and says so only
in its log (`nf_conntrack: table full, dropping packet`): everything looks alive, and nobody gets in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_network import TrackedConnections


class ConntrackCheck(Check):
    """Observes `conntrack.percent`; with a higher limit to fall back on also `conntrack.raised` (judged).

    A host that tracks no connections has no limit to reach: 0 percent.
    """

    kind = "conntrack"
    summary = "Is there room in the firewall's table for another connection?"

    TARGET: ClassVar[str] = "conntrack:table"

    def __init__(self, *, raised: int | None, every_seconds: float) -> None:
        super().__init__(name="conntrack", target=self.TARGET, every_seconds=every_seconds)
        self._raised = raised

    @property
    def observes(self) -> tuple[str, ...]:
        return (f"{self.name}.percent", f"{self.name}.raised") if self._raised is not None else (f"{self.name}.percent",)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read two numbers of the kernel's."""
        table = host.tracked_connections()
        if table is None:
            table = TrackedConnections(0, 0)
        elif not isinstance(table, TrackedConnections) or table.tracked < 0 or table.most <= 0:
            raise HostError("the count of tracked connections came back as nonsense")
        found = Observation(f"{self.name}.percent", self.target, Status.OK, now, table.percent, _said(table))
        return (found,) if self._raised is None else (found, self._is_raised(table, now))

    def _is_raised(self, table: TrackedConnections, now: Instant) -> Observation:
        status = Status.PROBLEM if table.most == self._raised else Status.OK
        return Observation(f"{self.name}.raised", self.target, status, now, None, f"up to {table.most} are tracked")


def _said(table: TrackedConnections) -> str:
    if not table.most:
        return "no connection is tracked here"
    return f"{table.tracked} of at most {table.most} connections are tracked"
