"""limit_log_rate: have journald drop what one unit says too much, so that the others are heard again."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.lift_log_rate import LiftLogRate
from zen_agents.actions.restart_unit import unit_of
from zen_agents.actions.scope import subject_of
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import UnitName
from zen_agents.ports.host import HostControl, HostView


class LimitLogRateParams(ActionParams):
    """Which unit, and how much of it is kept."""

    unit: UnitName = Field(description="the systemd unit that writes")
    lines_per_second: int = Field(ge=1, le=1_000_000, description="journald keeps about so many lines of it a second")


class LimitLogRate(Action):
    """Gives a unit a rate limit at run time (LogRateLimitIntervalSec=, LogRateLimitBurst=) until the host boots."""

    name = "limit_log_rate"
    summary = "Have journald drop what one unit writes beyond a rate, until the host boots."
    side_effects = "Lines of that unit are lost while it writes more; journald says how many."
    risk = Risk.LOW
    reversible = Reversible.YES
    mends = ("log_rate.{name}",)
    Params = LimitLogRateParams
    Policy = ActionPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "log_rate")
        params: LimitLogRateParams = self.params(request)
        unit = unit_of(params.unit, host)
        limit = host.log_limit(unit.id)
        if limit is not None and limit <= params.lines_per_second:
            raise StalePlanError(
                f"{unit.id} is limited to {limit} lines a second already; what helps now is a restart of it"
            )
        rate = params.lines_per_second
        return self.planned(
            request,
            steps=(
                f"write a drop-in of {unit.id} below /run: LogRateLimitIntervalSec=1s, LogRateLimitBurst={rate}",
                "systemctl daemon-reload",
                f"tell journald the limit of {unit.id}, so that it holds for what runs already",
            ),
            touches=(Resource(ResourceKind.UNIT, unit.id),),
            fingerprint=f"{unit.id}:{limit}",
            timeout_seconds=60.0,
            detail={"unit": unit.id},
            warning=f"lines of {unit.id} beyond {rate} a second are lost",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: LimitLogRateParams = self.params(plan.request)
        unit = str(plan.detail["unit"])
        await control.limit_log_rate(unit, params.lines_per_second)
        return Effect(
            ok=True,
            detail=f"journald keeps {params.lines_per_second} lines a second of {unit} until the host boots",
            before="not limited",
            after=f"{params.lines_per_second} lines a second",
            undo={"unit": unit},
        )

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(LiftLogRate.name, plan.request.target, {"unit": effect.undo["unit"]}, inverse_of=self.name)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"log_rate.{subject_of(plan.request, 'log_rate')}", plan.request.target
