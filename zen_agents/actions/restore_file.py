"""restore_file: give a managed file the content back that was declared for it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.config_test import ConfigTestParams
from zen_agents.actions.put_back_file import PutBackFile
from zen_agents.actions.replacing import (
    Replacement,
    identity,
    present_digest,
    reload_units,
    replace_files,
    replaceable,
)
from zen_agents.actions.scope import PathsPolicy, subject_of, touched_paths
from zen_agents.drift.declared import declared_content, sha256
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView


class RestoreFileParams(ActionParams):
    """Which file, and what it should be."""

    path: AbsolutePath = Field(description="the managed file")
    declared: AbsolutePath = Field(description="the file that says what it should hold")
    test: ConfigTestParams | None = Field(None, description="what must pass on the declared content before it is put there")
    unit: str = Field("", description="the unit whose file it is: systemd reads it afterwards; nothing is restarted")


class RestoreFile(Action):
    """Swaps the declared content in at once, after its test has passed; what was there goes to the quarantine."""

    name = "restore_file"
    summary = "Give a managed file the content back that was declared for it."
    side_effects = "Whoever reads the file finds the declared content; nothing is restarted by that."
    risk = Risk.HIGH
    reversible = Reversible.YES
    mends = ("drift.{name}",)
    Params = RestoreFileParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "baseline")
        params: RestoreFileParams = self.params(request)
        state, content = replaceable(params.path, host), declared_content(params.declared, host)
        wanted, found = sha256(content), present_digest(state, host)
        if found == wanted and not (params.unit and host.unit_file_pending(params.unit)):
            raise StalePlanError(f"{params.path} is as declared; there is nothing to do")
        return self.planned(
            request,
            steps=tuple(_steps(params, size_in_words(len(content)), wanted, found)),
            touches=touched_paths([params.path]),
            fingerprint=identity(state, wanted),
            timeout_seconds=120.0,
            detail={"found": found, "wanted": wanted},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RestoreFileParams = self.params(plan.request)
        undo: dict[str, Any] = {}
        if plan.detail["found"] != plan.detail["wanted"]:
            undo = {"files": await self._replace(params, plan, control)}
        if params.unit:
            await reload_units(control)
        return Effect(
            ok=True,
            detail=f"{params.path} is what {params.declared} says again",
            before=plan.detail["found"],
            after=plan.detail["wanted"],
            undo=undo,
        )

    async def _replace(self, params: RestoreFileParams, plan: Plan, control: HostControl) -> list[dict[str, str]]:
        host = control.view
        state, content = replaceable(params.path, host), declared_content(params.declared, host)
        if identity(state, sha256(content)) != plan.fingerprint:
            raise StalePlanError
        like = state or host.file(params.declared)
        if like is None:
            raise StalePlanError
        wanted = Replacement(params.path, content, like, state)
        return await replace_files([wanted], control, action=self.name, test=params.test)

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        params: RestoreFileParams = self.params(plan.request)
        undo = {"unit": params.unit, **effect.undo}
        return ActionRequest(PutBackFile.name, plan.request.target, undo, inverse_of=self.name)

    def undone(self, plan: Plan) -> str:
        """A file keeps its content until somebody changes it."""
        return f"changed {plan.request.params['path']}"

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"drift.{subject_of(plan.request, 'baseline')}", plan.request.target


def _steps(params: RestoreFileParams, size: str, wanted: str, found: str) -> list[str]:
    if found == wanted:
        return ['run ["systemctl", "daemon-reload"]']
    steps = [f"test the content of {params.declared} with {params.test.words}"] if params.test is not None else []
    kept = "" if found == "missing" else f", and keep what is there (sha256 {found[:12]}) in the quarantine"
    steps.append(f"put the content of {params.declared} ({size}, sha256 {wanted[:12]}) at {params.path}{kept}")
    return [*steps, 'run ["systemctl", "daemon-reload"]'] if params.unit else steps
