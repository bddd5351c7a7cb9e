"""quarantine_setuid: take programs that lend rights, and that nobody listed, out of the reach of who would start them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.give_back_files import GiveBackFiles
from zen_agents.actions.scope import PathsPolicy, plain_path, subject_of, touched_paths
from zen_agents.actions.taking_away import taken_away
from zen_agents.drift.setuid_files import evidence_of, setuid_files
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState

#: More than this at once are a person's to look through: then it is no stray file, but a directory that was never listed.
_MOST = 20


class QuarantineSetuidParams(ActionParams):
    """Where they are looked for, and which are meant to be there."""

    path: AbsolutePath = Field(description="the directory")
    known: tuple[AbsolutePath, ...] = Field((), description="files that may be setuid or setgid; these are never moved")


class QuarantineSetuid(Action):
    """Moves them into the quarantine, whole; what came from there by undo has neither setuid nor setgid any more."""

    name = "quarantine_setuid"
    summary = "Move setuid and setgid programs that nobody listed into the quarantine."
    side_effects = "Who needs such a program does not find it; one that runs goes on."
    risk = Risk.HIGH
    reversible = Reversible.PARTLY
    mends = ("setuid_files.{name}",)
    Params = QuarantineSetuidParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "setuid_files")
        states = _movable(self.params(request), host)
        return self.planned(
            request,
            steps=tuple(f"move {state.path} into the quarantine ({evidence_of(state, host)})" for state in states),
            touches=touched_paths([state.path for state in states]),
            fingerprint=_identity(states),
            timeout_seconds=300.0,
            warning="undo gives the files back without setuid and setgid",
        )

    def fingerprint(self, request: ActionRequest, host: HostView) -> str:
        return _identity(_movable(self.params(request), host))

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: QuarantineSetuidParams = self.params(plan.request)
        states = await asyncio.to_thread(_movable, params, control.view)
        if _identity(states) != plan.fingerprint:
            raise StalePlanError
        return await taken_away(states, control, action=self.name, before="to be started by anybody")

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        return ActionRequest(GiveBackFiles.name, plan.request.target, dict(effect.undo), inverse_of=self.name)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"setuid_files.{subject_of(plan.request, 'setuid_files')}", plan.request.target


def _movable(params: QuarantineSetuidParams, host: HostView) -> Sequence[FileState]:
    """Return what is to go; StalePlanError if nothing is, UnsafePathError if nothing can."""
    found = setuid_files(plain_path(params.path), params.known, host).unlisted
    if not found:
        raise StalePlanError(f"below {params.path} is nothing setuid or setgid but what is listed; there is nothing to do")
    movable = [state for state in found if state.links == 1]
    if not movable:
        said = f"{found[0].path} has {found[0].links} hard links; find the others by its inode {found[0].inode}"
        raise UnsafePathError(f"{said}, and take them away together by hand")
    return movable[:_MOST]


def _identity(states: Sequence[FileState]) -> str:
    return "+".join(state.fingerprint for state in states)
