"""How long an action may look for its plan is said by the action."""

from __future__ import annotations

import threading
from pathlib import Path

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
