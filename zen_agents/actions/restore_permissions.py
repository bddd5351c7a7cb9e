"""restore_permissions: give a listed file or directory its listed mode, owner and group back."""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field

from zen_agents.actions.access import refuse_shared, set_access
from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.give_back_permissions import GiveBackPermissions
from zen_agents.actions.scope import PathsPolicy, place_of, plain_path, subject_of, touched_paths
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath, Account, OctalMode
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState


class RestorePermissionsParams(ActionParams):
    """What it must be; never applied to anything below it."""

    path: AbsolutePath = Field(description="the file or directory")
    kind: Literal["file", "directory"] = Field(description="file | directory; anything else there is left")
    mode: OctalMode = Field(description='permission bits, quoted octal like "0640"; exactly these')
    owner: Account = Field(description="account that must own it, by name or number")
    group: Account = Field(description="group it must belong to, by name or number")


class RestorePermissions(Action):
    """Sets owner, then mode, on the very file that was seen; never below it, never to anything that is not listed."""

    name = "restore_permissions"
    summary = "Give a listed file or directory its listed mode, owner and group back."
    side_effects = "Programs that used the wrong access lose it, or those that lacked it have it again."
    risk = Risk.MEDIUM
    reversible = Reversible.YES
    mends = ("path.{name}",)
    Params = RestorePermissionsParams
    Policy = PathsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "path")
        params: RestorePermissionsParams = self.params(request)
        state = _present(params, host)
        wanted = (int(params.mode, 8), host.user_id(params.owner), host.group_id(params.group))
        if (state.mode, state.owner, state.group) == wanted:
            raise StalePlanError(f"mode and owner of {params.path} are as listed; there is nothing to do")
        return self.planned(
            request,
            steps=(
                f"set owner of {params.path} from {state.owner}:{state.group} to {wanted[1]}:{wanted[2]}",
                f"set mode of {params.path} from {state.mode:04o} to {wanted[0]:04o}",
            ),
            touches=touched_paths([params.path]),
            fingerprint=state.fingerprint,
            timeout_seconds=30.0,
            detail={
                "mode": f"{state.mode:04o}",
                "owner": str(state.owner),
                "group": str(state.group),
                "wanted": list(wanted),
                "place": place_of(state),
            },
            warning=_warning(state, wanted[0]),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RestorePermissionsParams = self.params(plan.request)
        mode, owner, group = plan.detail["wanted"]
        look = partial(_present, params, control.view)
        await set_access(plan, params.path, look, control, mode=mode, owner=owner, group=group)
        old = {name: plan.detail[name] for name in ("mode", "owner", "group", "place")}
        return Effect(
            ok=True,
            detail=f"{params.path} is {mode:04o} {owner}:{group} again",
            before=f"{old['mode']} {old['owner']}:{old['group']}",
            after=f"{mode:04o} {owner}:{group}",
            undo=old,
        )

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        params: RestorePermissionsParams = self.params(plan.request)
        mode, owner, group = plan.detail["wanted"]
        was = {"mode": effect.undo["mode"], "owner": int(effect.undo["owner"]), "group": int(effect.undo["group"])}
        left = {"mode": f"{mode:04o}", "owner": owner, "group": group}
        return ActionRequest(
            action=GiveBackPermissions.name,
            target=plan.request.target,
            params={
                "path": params.path,
                "kind": params.kind,
                "was": was,
                "left": left,
                "place": effect.undo["place"],
            },
            inverse_of=self.name,
        )

    def undone(self, plan: Plan) -> str:
        """A file keeps its mode and owner until somebody changes them."""
        found = plan.detail
        return f"set {plan.request.params['path']} to {found['mode']} {found['owner']}:{found['group']}"

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        name = subject_of(plan.request, "path")
        return f"path.{name}", plan.request.target


def _present(params: RestorePermissionsParams, host: HostView) -> FileState:
    state = host.file(plain_path(params.path))
    if state is None:
        raise StalePlanError(f"{params.path} is not there; there is nothing to restore")
    if state.kind != params.kind:
        raise UnsafePathError(f"{params.path} is a {state.kind}, not a {params.kind}; look at who put it there")
    refuse_shared(state, params.path)
    return state


def _warning(state: FileState, wanted: int) -> str:
    added = wanted & ~state.mode
    if added & 0o6000:
        return "gives setuid or setgid, exactly as listed"
    if added & 0o002:
        return "lets anyone write, exactly as listed"
    return "widens access, exactly as listed" if added & 0o077 else ""
