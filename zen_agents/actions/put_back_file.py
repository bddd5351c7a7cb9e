"""put_back_file: the inverse of every action that replaced a file by another content."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.replacing import present_digest, reload_units, replace_file, replaceable
from zen_agents.actions.scope import in_thread, parent_of, touched_paths
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import FileState, HostControl, HostView, KeptFile


class PutBackFileParams(InverseParams):
    """What lies in the quarantine, where it was, and what the action left there."""

    path: AbsolutePath = Field(description="the file that was replaced")
    quarantine: str = Field(description="id in the quarantine of what was there; empty if nothing was")
    left: str = Field(description="SHA-256 of what the action put there")
    unit: str = Field("", description="the unit whose file it is: systemd reads it afterwards")


class PutBackFile(Inverse):
    """Swaps the replaced version in again, if what is there still is what the action left."""

    name = "put_back_file"
    summary = "Put the version of a file back that was there before it was restored."
    side_effects = "Whoever reads the file finds again what it held before; nothing is restarted by that."
    risk = Risk.HIGH
    Params = PutBackFileParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: PutBackFileParams = self.params(request)
        state, kept = _as_left(params, host), _kept(params, host)
        return Plan(
            request=request,
            steps=(_step(params, kept), *(['run ["systemctl", "daemon-reload"]'] if params.unit else [])),
            touches=touched_paths([params.path]),
            fingerprint=f"{state.fingerprint}+{params.quarantine}",
            risk=self.risk,
            reversible=self.reversible,
            budget=self.budget,
            timeout_seconds=120.0,
            warning=_warning(state, kept),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: PutBackFileParams = self.params(plan.request)
        host = control.view
        state, kept = _as_left(params, host), _kept(params, host)
        if f"{state.fingerprint}+{params.quarantine}" != plan.fingerprint:
            raise StalePlanError
        if kept is None:
            await _remove(state, control)
        else:
            like = state._replace(mode=kept.mode, owner=kept.owner, group=kept.group)
            content = host.kept_content(kept.id)
            await replace_file(params.path, content, like, state, control, action=self.name, test=None)
        if params.unit:
            await reload_units(control)
        return Effect(True, f"{params.path} is as it was before it was restored", before=params.left, after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: PutBackFileParams = self.params(plan.request)
        state, kept = replaceable(params.path, host), _kept(params, host)
        if kept is None:
            return "" if state is None else f"{params.path} is there again"
        if state is None or present_digest(state, host) != kept.sha256:
            return f"{params.path} does not hold what was kept"
        access = (state.mode, state.owner, state.group)
        return (
            "" if access == (kept.mode, kept.owner, kept.group) else f"mode or owner of {params.path} are not as they were"
        )


async def _remove(state: FileState, control: HostControl) -> None:
    def work(go_on: Callable[[], None]) -> None:
        go_on()
        with control.open_directory(parent_of(state.path)) as parent:
            parent.quarantine(state, action=PutBackFile.name)

    await in_thread(work, control)


def _kept(params: PutBackFileParams, host: HostView) -> KeptFile | None:
    if not params.quarantine:
        return None
    kept = host.kept_file(params.quarantine)
    if kept.path != params.path:
        raise UnsafePathError(f"{kept.id} was {kept.path}, not {params.path}; nothing was done")
    return kept


def _as_left(params: PutBackFileParams, host: HostView) -> FileState:
    state = replaceable(params.path, host)
    if state is None or present_digest(state, host) != params.left:
        raise StalePlanError(f"{params.path} is not what the action left there any more; nothing was done")
    return state


def _step(params: PutBackFileParams, kept: KeptFile | None) -> str:
    if kept is None:
        return f"move {params.path} into the quarantine: nothing was there before"
    return f"put {params.path} back as it was ({size_in_words(kept.size)}, sha256 {kept.sha256[:12]})"


def _warning(state: FileState, kept: KeptFile | None) -> str:
    """Return whom the old access lets in again; "" if nobody gains any."""
    if kept is None:
        return ""
    if (kept.owner, kept.group) != (state.owner, state.group):
        return f"gives it to {kept.owner}:{kept.group} again, as before"
    return "widens access, as before" if kept.mode & ~state.mode & 0o077 else ""
