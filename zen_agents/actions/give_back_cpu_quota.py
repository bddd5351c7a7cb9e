"""give_back_cpu_quota: the inverse of cap_cpu."""

from __future__ import annotations

import asyncio

from pydantic import Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import subject_of
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.model.scalars import UnitName
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command

_SECONDS = 20.0
#: The kernel counts in whole microseconds of a period.
_ROUNDING = 0.5
#: systemd answers before it has written to the control group. With version 2 the controller of a unit is switched on and
#: off with its limit, which takes the kernel some milliseconds.
_SHOWN_WITHIN_SECONDS = 3.0
_POLL_SECONDS = 0.02


class GiveBackCpuQuotaParams(InverseParams):
    """Of which unit, what it was, and what the action left."""

    unit: UnitName = Field(description="the unit")
    group: str = Field(pattern="^/", description="its control group")
    was: float | None = Field(description="percent of one CPU before the action; null for no limit")
    left: float = Field(gt=0, description="percent of one CPU that the action left")


class GiveBackCpuQuota(Inverse):
    """Sets the quota back if nobody has changed it since."""

    name = "give_back_cpu_quota"
    summary = "Give a unit the CPU quota back that it had before cap_cpu."
    side_effects = "Its processes take the share of the CPUs again that they took before."
    risk = Risk.MEDIUM
    Params = GiveBackCpuQuotaParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "process")
        params: GiveBackCpuQuotaParams = self.params(request)
        _as_left(params, host)
        return self.planned(
            request,
            steps=(
                f"systemctl set-property --runtime -- {params.unit} CPUQuota={_written(params.was)} ({told(params.was)})",
            ),
            touches=(Resource(ResourceKind.UNIT, params.unit),),
            fingerprint=f"{params.unit} {params.left}",
            timeout_seconds=30.0,
            detail={"names": []},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackCpuQuotaParams = self.params(plan.request)
        await asyncio.to_thread(lambda: _as_left(params, control.view))
        return await set_quota(params.unit, params.group, params.was, params.left, control)

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackCpuQuotaParams = self.params(plan.request)
        found = host.cpu_quota(params.group)
        return "" if _same(found, params.was) else f"{params.unit} may use {told(found)}, not {told(params.was)}"


def told(quota: float | None) -> str:
    """Return a quota in words."""
    return "as much as there is" if quota is None else f"{quota:g} % of a CPU"


async def set_quota(unit: str, group: str, quota: float | None, was: float | None, control: HostControl) -> Effect:
    """Have systemd set the quota of a unit, and wait until the kernel has it; not ok if it never does."""
    argv = ("systemctl", "set-property", "--runtime", "--", unit, f"CPUQuota={_written(quota)}")
    result = await control.run(Command(argv, timeout_seconds=_SECONDS))
    accepted = result.exit_code == 0 and not result.timed_out
    found = await _shown(group, quota, _SHOWN_WITHIN_SECONDS if accepted else 0.0, control)
    ok = accepted and _same(found, quota)
    said = f"{unit} may use {told(found)} now"
    return Effect(ok, said, before=told(was), after=told(found), exit_code=result.exit_code, output=result.output)


async def _shown(group: str, quota: float | None, within: float, control: HostControl) -> float | None:
    """Return what the kernel allows a control group, as soon as that is the quota, at the latest after so many seconds."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within
    while True:
        found = await asyncio.to_thread(lambda: control.view.cpu_quota(group))
        if _same(found, quota) or loop.time() >= give_up:
            return found
        await asyncio.sleep(_POLL_SECONDS)


def _written(quota: float | None) -> str:
    return "" if quota is None else f"{quota:g}%"


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _ROUNDING


def _as_left(params: GiveBackCpuQuotaParams, host: HostView) -> None:
    found = host.cpu_quota(params.group)
    if not _same(found, params.left):
        raise StalePlanError(
            f"{params.unit} may use {told(found)} now and was left with {told(params.left)}; nothing was done"
        )
