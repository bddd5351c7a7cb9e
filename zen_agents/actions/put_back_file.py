"""put_back_file: the inverse of every action that replaced files by another content."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.replacing import Replacement, present_digest, reload_units, replace_files, replaceable
from zen_agents.actions.scope import in_thread, parent_of, touched_paths
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState, KeptFile


class ReplacedFile(BaseModel):
    """One file that was replaced."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    path: AbsolutePath = Field(description="where it is")
    quarantine: str = Field(description="id in the quarantine of what was there; empty if nothing was")
    left: str = Field(description="SHA-256 of what the action put there")


class PutBackFileParams(InverseParams):
    """What was replaced."""

    files: tuple[ReplacedFile, ...] = Field(min_length=1, description="what was replaced, and what was put there")
    unit: str = Field("", description="the unit whose file it is: systemd reads it afterwards")


class PutBackFile(Inverse):
    """Swaps the replaced versions in again, if what is there still is what the action left."""

    name = "put_back_file"
    summary = "Put the version of a file back that was there before it was restored."
    side_effects = "Whoever reads the file finds again what it held before; nothing is restarted by that."
    risk = Risk.HIGH
    Params = PutBackFileParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: PutBackFileParams = self.params(request)
        found = [(_as_left(file, host), _kept(file, host)) for file in params.files]
        steps = [_step(state.path, kept) for state, kept in found]
        return self.planned(
            request,
            steps=(*steps, *(['run ["systemctl", "daemon-reload"]'] if params.unit else [])),
            touches=touched_paths([file.path for file in params.files]),
            fingerprint=_identity(params, host),
            timeout_seconds=120.0,
            warning=next((said for state, kept in found if (said := _warning(state, kept))), ""),
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: PutBackFileParams = self.params(plan.request)
        host = control.view
        if _identity(params, host) != plan.fingerprint:
            raise StalePlanError
        await put_back(params.files, control, action=self.name)
        if params.unit:
            await reload_units(control)
        paths = ", ".join(file.path for file in params.files)
        return Effect(True, f"as before it was restored: {paths}", before=params.files[0].left, after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: PutBackFileParams = self.params(plan.request)
        return next((said for file in params.files if (said := _amiss(file, host))), "")


async def put_back(files: Sequence[ReplacedFile], control: HostControl, *, action: str) -> None:
    """Swap what was there into its place again; StalePlanError if one is not what was left there any more."""
    host = control.view
    found = [(_as_left(file, host), _kept(file, host)) for file in files]
    wanted = [_replacement(state, kept, host) for state, kept in found if kept is not None]
    await replace_files(wanted, control, action=action, test=None)
    for state, kept in found:
        if kept is None:
            await _remove(state, control)


def is_as_left(file: ReplacedFile, host: HostView) -> bool:
    """Tell whether a file still is what was put there."""
    return present_digest(replaceable(file.path, host), host) == file.left


async def _remove(state: FileState, control: HostControl) -> None:
    def work(go_on: Callable[[], None]) -> None:
        go_on()
        with control.open_directory(parent_of(state.path)) as parent:
            parent.quarantine(state, action=PutBackFile.name)

    await in_thread(work, control)


def _replacement(state: FileState, kept: KeptFile, host: HostView) -> Replacement:
    like = state._replace(mode=kept.mode, owner=kept.owner, group=kept.group)
    return Replacement(state.path, host.kept_content(kept.id), like, state)


def _identity(params: PutBackFileParams, host: HostView) -> str:
    return "+".join(f"{_as_left(file, host).fingerprint}+{file.quarantine}" for file in params.files)


def _kept(file: ReplacedFile, host: HostView) -> KeptFile | None:
    if not file.quarantine:
        return None
    kept = host.kept_file(file.quarantine)
    if kept.path != file.path:
        raise UnsafePathError(f"{kept.id} was {kept.path}, not {file.path}; nothing was done")
    return kept


def _as_left(file: ReplacedFile, host: HostView) -> FileState:
    state = replaceable(file.path, host)
    if state is None or present_digest(state, host) != file.left:
        raise StalePlanError(f"{file.path} is not what the action left there any more; nothing was done")
    return state


def _amiss(file: ReplacedFile, host: HostView) -> str:
    state, kept = replaceable(file.path, host), _kept(file, host)
    if kept is None:
        return "" if state is None else f"{file.path} is there again"
    if state is None or present_digest(state, host) != kept.sha256:
        return f"{file.path} does not hold what was kept"
    access = (state.mode, state.owner, state.group)
    return "" if access == (kept.mode, kept.owner, kept.group) else f"mode or owner of {file.path} are not as they were"


def _step(path: str, kept: KeptFile | None) -> str:
    if kept is None:
        return f"move {path} into the quarantine: nothing was there before"
    return f"put {path} back as it was ({size_in_words(kept.size)}, sha256 {kept.sha256[:12]})"


def _warning(state: FileState, kept: KeptFile | None) -> str:
    """Return whom the old access lets in again; "" if nobody gains any."""
    if kept is None:
        return ""
    if (kept.owner, kept.group) != (state.owner, state.group):
        return f"gives it to {kept.owner}:{kept.group} again, as before"
    return "widens access, as before" if kept.mode & ~state.mode & 0o077 else ""
