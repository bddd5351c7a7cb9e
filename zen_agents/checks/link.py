"""Whether a network link is up, and whether there is a way out of this host."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_network import Link

#: Interfaces without a wire (tunnels, loopback) are `unknown` while they work.
_WORKING = frozenset({"up", "unknown"})


class LinkCheck(Check):
    """Observes `link.NAME` (judged)."""

    kind = "link"
    summary = "Is this network link up, and does the default route lead through it?"

    def __init__(self, label: str, *, interface: str, default_route: bool, every_seconds: float) -> None:
        super().__init__(name=f"link.{label}", target=f"link:{label}", every_seconds=every_seconds)
        self._interface, self._default_route = interface, default_route

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look at the interface, and at the routes."""
        wrong = self._of_link(host) or (self._of_routes(host) if self._default_route else "")
        status, said = (Status.PROBLEM, wrong) if wrong else (Status.OK, f"{self._interface or 'the default route'} is up")
        return (Observation(self.name, self.target, status, now, None, said),)

    def _of_link(self, host: HostView) -> str:
        """Return what is wrong with the interface, "" if nothing is."""
        if not self._interface:
            return ""
        link = host.link(self._interface)
        if link is None:
            return f"there is no interface {self._interface}"
        if not isinstance(link, Link):
            raise HostError(f"the state of {self._interface} came back as nonsense")
        if link.state not in _WORKING:
            return f"{self._interface} is {link.state}"
        return "" if link.carrier else f"{self._interface} is up and has no signal: look at the cable, or at the other end"

    def _of_routes(self, host: HostView) -> str:
        routes = host.default_routes()
        found = [route.interface for route in routes]
        if not found:
            return "there is no default route: nothing beyond the own networks can be reached"
        if self._interface and self._interface not in found:
            return f"the default route leads through {', '.join(dict.fromkeys(found))}, not through {self._interface}"
        return ""
