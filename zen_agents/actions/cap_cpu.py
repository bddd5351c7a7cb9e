"""cap_cpu: let the unit of a runaway process have no more than a share of a CPU, until undo or the next boot."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from zen_agents.actions.give_back_cpu_quota import GiveBackCpuQuota, set_quota, told
from zen_agents.actions.runaway import MatchPolicy, RunawayAction, RunawayParams
from zen_agents.actions.scope import subject_of
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_processes import Process


class CapCpuParams(RunawayParams):
    """Which processes, and how much is left to their unit."""

    quota_percent: float = Field(gt=0, le=100_000, description="percent of one CPU that the whole unit may use")


class CapCpu(RunawayAction):
    """Sets `CPUQuota=` of the unit at run time; a unit that has a smaller one already is left."""

    name = "cap_cpu"
    summary = "Limit the unit of a process that has used a CPU for too long to a share of a CPU."
    side_effects = "Its other processes are slower too; a restart of the unit keeps the limit, a reboot ends it."
    risk = Risk.MEDIUM
    reversible = Reversible.YES
    Params = CapCpuParams
    Policy = MatchPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "process")
        params: CapCpuParams = self.params(request)
        process = params.found(host)[0].process
        unit, group, quota = _capped(process, params, host)
        return self.planned(
            request,
            steps=(
                f"systemctl set-property --runtime -- {unit} CPUQuota={params.quota_percent:g}% (now {told(quota)}), "
                f"the unit of process {process.pid} ({process.name})",
            ),
            touches=(Resource(ResourceKind.PROCESS, process.fingerprint), Resource(ResourceKind.UNIT, unit)),
            fingerprint=f"{process.fingerprint} {unit} {quota}",
            timeout_seconds=30.0,
            detail={"names": [process.name], "unit": unit, "group": group, "was": quota},
            warning=f"slows down all of {unit}",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: CapCpuParams = self.params(plan.request)

        def look() -> tuple[str, str, float | None]:
            view = control.view
            process = params.found(view)[0].process
            unit, group, quota = _capped(process, params, view)
            if f"{process.fingerprint} {unit} {quota}" != plan.fingerprint:
                raise StalePlanError
            return unit, group, quota

        unit, group, was = await asyncio.to_thread(look)
        effect = await set_quota(unit, group, params.quota_percent, was, control)
        undo: dict[str, Any] = {"unit": unit, "group": group, "was": was, "left": params.quota_percent}
        return Effect(effect.ok, effect.detail, effect.before, effect.after, undo=undo, output=effect.output)

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(GiveBackCpuQuota.name, plan.request.target, dict(effect.undo), inverse_of=self.name)


def _capped(process: Process, params: CapCpuParams, host: HostView) -> tuple[str, str, float | None]:
    """Return the unit of a process, its cgroup and present quota; raises where a cap would do nothing, or harm."""
    group = host.cgroup(process)
    unit = group.rpartition("/")[2]
    if not unit.endswith(".service"):
        raise RefusedError(
            f"process {process.pid} ({process.name}) is in {group}, which is no service's; it cannot be capped"
        )
    if not host.can_limit_cpu():
        raise RefusedError("the control groups of this host have no CPU controller: a cap would do nothing")
    quota = host.cpu_quota(group)
    if quota is not None and quota <= params.quota_percent:
        raise StalePlanError(f"{unit} may use {told(quota)} only already; there is nothing to do")
    return unit, group, quota
