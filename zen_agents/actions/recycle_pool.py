"""recycle_pool: have an application renew its own connection pool, by a command of yours."""

from __future__ import annotations

import json
from datetime import timedelta

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.pool_scope import PoolsPolicy
from zen_agents.actions.scope import subject_of
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command

#: What it takes to start and end it (seconds).
_OWN_SECONDS = 10.0


class RecyclePoolParams(ActionParams):
    """What is run. An argument list, never a shell's line (R18)."""

    argv: tuple[str, ...] = Field(min_length=1, description="argument list that makes the application renew its pool")
    user: str = Field("", description="account it runs as; empty: the engine's own")
    timeout_seconds: float = Field(30.0, gt=0, lt=timedelta.max.total_seconds(), description="how long it may take")

    @property
    def command(self) -> Command:
        """What is run."""
        return Command(self.argv, self.user, timeout_seconds=self.timeout_seconds)


class RecyclePool(Action):
    """Runs the one listed command; what that does to connections is the application's own affair."""

    name = "recycle_pool"
    summary = "Have an application renew its own connection pool, by the command that is listed for it."
    side_effects = "Whatever the command does; most drop connections that are in use."
    risk = Risk.MEDIUM
    reversible = Reversible.NO
    mends = ("pool.{name}.",)
    Params = RecyclePoolParams
    Policy = PoolsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        del host
        name = subject_of(request, "pool")
        params: RecyclePoolParams = self.params(request)
        who = f" as {params.user}" if params.user else ""
        return self.planned(
            request,
            steps=(f"run {json.dumps(params.argv)}{who}",),
            touches=(Resource(ResourceKind.POOL, name),),
            fingerprint=name,
            timeout_seconds=params.timeout_seconds + _OWN_SECONDS,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RecyclePoolParams = self.params(plan.request)
        result = await control.run(params.command)
        end = "did not end in time" if result.timed_out else f"exit {result.exit_code}"
        ok = not result.timed_out and result.exit_code == 0
        return Effect(ok, f"{params.argv[0]}: {end}", exit_code=result.exit_code, output=result.output)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"pool.{subject_of(plan.request, 'pool')}.percent_used", plan.request.target
