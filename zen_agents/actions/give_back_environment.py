"""give_back_environment: the inverse of an upgrade of a Python environment."""

from __future__ import annotations

import asyncio

from pydantic import Field

from zen_agents.actions.environment_health import RESTART_SECONDS, restarted
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.put_back_file import ReplacedFile, is_as_left, put_back
from zen_agents.actions.scope import touched_paths
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.model.scalars import AbsolutePath, UnitName
from zen_agents.ports.host import HostControl, HostView


class GiveBackEnvironmentParams(InverseParams):
    """What was replaced."""

    venv: AbsolutePath = Field(description="directory of the environment")
    kept: str = Field(min_length=1, description="under which what was there before is kept")
    left: str = Field(min_length=1, description="`device:inode` of what the action put there")
    units: tuple[UnitName, ...] = Field((), description="units that run on it and are restarted")
    files: tuple[ReplacedFile, ...] = Field((), description="files that got the new versions, and what they were")


class GiveBackEnvironment(Inverse):
    """Exchanges the two again, if what is there still is what the action left, and restarts who runs on it."""

    name = "give_back_environment"
    summary = "Put the environment back that was there before its packages were upgraded, and restart who runs on it."
    side_effects = "The weaknesses that the upgrade ended are there again."
    risk = Risk.MEDIUM
    Params = GiveBackEnvironmentParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: GiveBackEnvironmentParams = self.params(request)
        now = host.environment_holding(params.venv)
        venv, before = host.kept_environment(params.kept)
        if venv != params.venv or now.identity != params.left:
            raise StalePlanError(f"{params.venv} is not what the action left there any more; nothing was done")
        return self.planned(
            request,
            steps=(
                f"exchange {params.venv} with what was there before, in one step",
                *_differences(now.freeze, before.freeze),
                *(_file_step(file, host) for file in params.files),
                *(f"systemctl restart -- {unit}" for unit in params.units),
            ),
            touches=(
                *touched_paths([params.venv, *(file.path for file in params.files)]),
                *(Resource(ResourceKind.UNIT, unit) for unit in params.units),
            ),
            fingerprint=f"{now.identity}:{before.identity}",
            timeout_seconds=120.0 + RESTART_SECONDS * len(params.units),
            detail={"holds": before.freeze, "identity": before.identity},
            warning="the weaknesses that the upgrade ended are there again",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackEnvironmentParams = self.params(plan.request)
        await control.switch_environment_back(params.kept)
        view = control.view
        files = await asyncio.to_thread(lambda: [file for file in params.files if is_as_left(file, view)])
        await put_back(files, control, action=self.name)
        why = await restarted(params.units, control)
        after = await asyncio.to_thread(lambda: control.view.environment_holding(params.venv))
        ok = not why and after.freeze == plan.detail["holds"]
        return Effect(
            ok, f"{params.venv} is as it was before{f'; {why}' if why else ''}", before=params.left, after=after.identity
        )

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackEnvironmentParams = self.params(plan.request)
        now = host.environment_holding(params.venv)
        same = (now.identity, now.freeze) == (plan.detail["identity"], plan.detail["holds"])
        return "" if same else f"{params.venv} does not hold what was there before"


def _file_step(file: ReplacedFile, host: HostView) -> str:
    if is_as_left(file, host):
        return f"put {file.path} back as it was"
    return f"leave {file.path}: it was changed since"


def _differences(now: str, before: str) -> tuple[str, ...]:
    lines, old = set(now.splitlines()), set(before.splitlines())
    return (*(f"- {line}" for line in sorted(lines - old)), *(f"+ {line}" for line in sorted(old - lines)))
