"""A host of dictionaries and a clock that moves when told: for whole-engine simulations and for what real hosts rarely do.

    host = SimulatedHost(seed=7)
    web = host.add_service("web", unit="web.service", port=8080, start_seconds=2.0)
    host.start("web")
    host.advance(5)
    host.crash("web")                      # the process is gone, its unit failed, watchers are woken
    host.faults.fail("memory", times=3)    # the next three looks cannot tell
    host.look()                            # a `ports.host.HostView`
    host.control()                         # a `ports.host.HostControl` that changes only these dictionaries

The same seed and the same steps give the same run: numbers come in order, chance from `host.random` alone.
"""

from __future__ import annotations

from chaos.simulation.control import SimulatedControl
from chaos.simulation.view import SimulatedView
from chaos.simulation.world import SimulatedWorld
from zen_agents.guards.base import StopFlag


class SimulatedHost(SimulatedWorld):
    """Implements `ports.host.Host`, and hands out controls."""

    def look(self) -> SimulatedView:
        """Return a fresh view."""
        self.settle()
        return SimulatedView(self)

    def control(self, action: str = "", stop: StopFlag | None = None) -> SimulatedControl:
        """Return a control over this host, for this action; set `stopped` on it, or `stop`, to pull the emergency stop."""
        if action:
            self.doors.append(action)
        return SimulatedControl(self, self.look, action=action, stop=stop)
