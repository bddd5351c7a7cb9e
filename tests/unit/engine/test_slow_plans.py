"""How long an action may look for its plan is said by the action."""

from __future__ import annotations

import threading
from pathlib import Path

from chaos.simulation.host import SimulatedHost
from tests.support.rig import Restart, Rig
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.ports.host import HostView


class Hanging(Restart):
    """Looks until it is let go on."""

    plan_seconds = 0.05

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        self.go_on.wait()
        return super().plan(request, host)


async def test_a_plan_that_takes_longer_than_its_action_allows_is_refused_as_not_known(tmp_path: Path) -> None:
    action = Hanging()
    rig = Rig(tmp_path, actions={"restart_service": action})
    rig.host.crash("web")
    try:
        await rig.turn()
        assert "unknown_observation" in rig.reasons()
        assert rig.outcomes() == []
    finally:
        action.go_on.set()


class Slow(Restart):
    """Looks for two minutes, by the host's own clock; meanwhile the second service comes back by itself."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        self._host.advance(120.0)
        self._host.start("second")
        return super().plan(request, host)


async def test_what_was_seen_before_another_ones_long_plan_is_looked_at_anew(tmp_path: Path) -> None:
    host = SimulatedHost()
    for index, name in enumerate(("first", "second")):
        host.add_service(name, unit=f"{name}.service", port=8000 + index)
        host.start(name)
    rig = Rig(tmp_path, ["first", "second"], host=host, actions={"restart_service": Slow(host)}, max_concurrent=2)
    host.crash("first")
    host.crash("second")
    await rig.turn()
    await rig.turn()
    assert [row.target for row in rig.store.actions(limit=10)] == ["service:first"]
