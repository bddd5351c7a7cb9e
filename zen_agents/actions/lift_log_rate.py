"""lift_log_rate: the inverse of limit_log_rate."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import subject_of
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.model.scalars import UnitName
from zen_agents.ports.host import HostControl, HostView


class LiftLogRateParams(InverseParams):
    """Whose limit."""

    unit: UnitName = Field(description="the systemd unit that was limited")


class LiftLogRate(Inverse):
    """Takes the drop-in away that limit_log_rate wrote."""

    name = "lift_log_rate"
    summary = "Take the rate limit away that limit_log_rate gave a unit."
    side_effects = "The unit may flood the journal again at once."
    risk = Risk.LOW
    Params = LiftLogRateParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "log_rate")
        params: LiftLogRateParams = self.params(request)
        limit = host.log_limit(params.unit)
        if limit is None:
            raise StalePlanError(f"{params.unit} is not limited any more; nothing was done")
        return self.planned(
            request,
            steps=(
                f"remove the drop-in of {params.unit} below /run with its {limit} lines a second",
                "systemctl daemon-reload",
                f"tell journald what holds for {params.unit} without it: the unit's own limit, or journald's",
            ),
            touches=(Resource(ResourceKind.UNIT, params.unit),),
            fingerprint=f"{params.unit}:{limit}",
            timeout_seconds=60.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: LiftLogRateParams = self.params(plan.request)
        await control.lift_log_rate(params.unit)
        return Effect(True, f"{params.unit} has no limit of the engine's any more", before="limited", after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: LiftLogRateParams = self.params(plan.request)
        limit = host.log_limit(params.unit)
        return "" if limit is None else f"{params.unit} is still limited to {limit} lines a second"
