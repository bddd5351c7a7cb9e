"""give_back_permissions: the inverse of restore_permissions."""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field

from zen_agents.actions.access import refuse_shared, set_access
from zen_agents.actions.base import ActionParams
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import place_of, plain_path, subject_of, touched_paths
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.scalars import AbsolutePath, OctalMode
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState


class Access(ActionParams):
    """Mode and owner of one file, as numbers."""

    mode: OctalMode = Field(description="permission bits, quoted octal")
    owner: int = Field(ge=0, description="uid")
    group: int = Field(ge=0, description="gid")

    @property
    def values(self) -> tuple[int, int, int]:
        """Mode, uid and gid."""
        return int(self.mode, 8), self.owner, self.group

    def __str__(self) -> str:
        return f"{self.mode} {self.owner}:{self.group}"


class GiveBackPermissionsParams(InverseParams):
    """What it was, and what the action left."""

    path: AbsolutePath = Field(description="the file or directory")
    kind: Literal["file", "directory"] = Field(description="file | directory")
    was: Access = Field(description="before the action")
    left: Access = Field(description="after the action")
    place: str = Field(description="device:inode of the very file that was changed")


class GiveBackPermissions(Inverse):
    """Sets mode and owner back on the very file that was changed, if nobody changed them since."""

    name = "give_back_permissions"
    summary = "Give a file or directory the mode and owner back that it had before restore_permissions."
    side_effects = "Programs have the access again that they had before."
    risk = Risk.MEDIUM
    Params = GiveBackPermissionsParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "path")
        params: GiveBackPermissionsParams = self.params(request)
        state = _as_left(params, host)
        _refuse_special(params)
        return self.planned(
            request,
            steps=(f"set mode and owner of {params.path} from {params.left} back to {params.was}",),
            touches=touched_paths([params.path]),
            fingerprint=state.fingerprint,
            timeout_seconds=30.0,
            warning=_warning(params),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackPermissionsParams = self.params(plan.request)
        mode, owner, group = params.was.values
        look = partial(_as_left, params, control.view)
        await set_access(plan, params.path, look, control, mode=mode, owner=owner, group=group)
        return Effect(True, f"{params.path} is {params.was} as before", before=str(params.left), after=str(params.was))

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackPermissionsParams = self.params(plan.request)
        state = host.file(plain_path(params.path))
        if state is None or place_of(state) != params.place:
            return f"{params.path} is not there any more"
        return "" if _access(state) == params.was.values else f"{params.path} is {_said(state)}, not {params.was}"


def _as_left(params: GiveBackPermissionsParams, host: HostView) -> FileState:
    """Return the file; StalePlanError unless it is the one that was changed and still is as it was left."""
    state = host.file(plain_path(params.path))
    if state is None or state.kind != params.kind or place_of(state) != params.place:
        raise StalePlanError(f"what was changed is not at {params.path} any more; nothing was done")
    if _access(state) != params.left.values:
        raise StalePlanError(f"{params.path} is {_said(state)} now and was left as {params.left}; nothing was done")
    refuse_shared(state, params.path)
    return state


def _refuse_special(params: GiveBackPermissionsParams) -> None:
    special = 0o6000 if params.kind == "file" else 0o4000
    if int(params.was.mode, 8) & special:
        raise UnsafePathError(f"{params.path} was {params.was.mode}: setuid and setgid are never given back; set it by hand")


def _warning(params: GiveBackPermissionsParams) -> str:
    """Return whom the old access lets in again; "" if nobody gains any."""
    added = int(params.was.mode, 8) & ~int(params.left.mode, 8)
    if added & 0o002:
        return "lets anyone write again, as before"
    if (params.was.owner, params.was.group) != (params.left.owner, params.left.group):
        return f"gives it to {params.was.owner}:{params.was.group} again, as before"
    return "widens access, as before" if added & 0o077 else ""


def _access(state: FileState) -> tuple[int, int, int]:
    return state.mode, state.owner, state.group


def _said(state: FileState) -> str:
    return f"{state.mode:04o} {state.owner}:{state.group}"
