"""restart_time_daemon: bring the daemon back that keeps the clock right, unless it would set the clock at once."""

from __future__ import annotations

import asyncio
from math import isinf

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.restart_unit import restart_detail, restart_unit, steps_before, unit_of
from zen_agents.actions.scope import subject_of
from zen_agents.actions.time_daemons import steps_above
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.duration import duration
from zen_agents.model.scalars import UnitName
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.time_answer import median_ahead

_ANSWER_WITHIN_SECONDS = 3.0


class RestartTimeDaemonParams(ActionParams):
    """Which daemon, and who knows the time."""

    unit: UnitName = Field(description="the daemon's systemd unit")
    servers: tuple[str, ...] = Field((), description="HOST:PORT of time servers that say by how much the clock is off")


class RestartTimeDaemon(Action):
    """Restarts it where it slews the clock, or has nothing to step: what runs never sees time jump."""

    name = "restart_time_daemon"
    summary = "Restart the daemon that keeps the clock right, unless it would step the clock while services run."
    side_effects = "The clock runs a little faster or slower until it is right."
    risk = Risk.MEDIUM
    reversible = Reversible.NO
    mends = ("clock.",)
    Params = RestartTimeDaemonParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "clock")
        params: RestartTimeDaemonParams = self.params(request)
        unit, limit = unit_of(params.unit, host), steps_above(params.unit, host)
        if unit.active_state == "active":
            raise StalePlanError(f"{unit.id} runs; a clock that is off all the same is a person's to look at")
        only = "which only slews the clock" if isinf(limit) else f"unless the clock is off by more than {limit:g} s"
        return self.planned(
            request,
            steps=(*steps_before(unit, request), f"systemctl restart -- {unit.id}, {only}"),
            touches=(Resource(ResourceKind.UNIT, unit.id),),
            fingerprint=f"{unit.id}:{unit.invocation}:{unit.active_state}:{unit.changed_us}",
            expected_seconds=2.0,
            timeout_seconds=240.0,
            detail={
                **restart_detail(unit, request),
                "steps_above": None if isinf(limit) else limit,
            },
        )

    async def preflight(self, plan: Plan, host: HostView) -> None:
        """Refuse where the daemon would step the clock, or may and nobody tells by how much it is off."""
        limit = plan.detail["steps_above"]
        if limit is None:
            return
        params: RestartTimeDaemonParams = self.params(plan.request)
        asked = (host.server_time(server, _ANSWER_WITHIN_SECONDS) for server in params.servers)
        ahead = median_ahead(list(await asyncio.gather(*asked)))
        by_hand = "stop what minds, then start it by hand"
        if ahead is None:
            raise RefusedError(f"{params.unit} may step the clock, and no server tells by how much it is off; {by_hand}")
        if abs(ahead) > limit:
            raise RefusedError(f"{params.unit} would step the clock by {duration(abs(ahead))} while services run; {by_hand}")

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        return await restart_unit(str(plan.detail["unit"]), plan, control)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return "clock.daemon", plan.request.target
