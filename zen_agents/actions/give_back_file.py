"""give_back_file: the inverse of every action that moved a file into the quarantine."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import file_name, in_thread, parent_of, place_of, plain_path, touched_paths
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import KeptFile


class GiveBackFileParams(InverseParams):
    """What lies in the quarantine, and where it was."""

    path: AbsolutePath = Field(description="where the file was")
    quarantine: str = Field(description="its id in the quarantine")


class GiveBackFile(Inverse):
    """Copies a file out of the quarantine, with owner, mode and times; never over what is there now."""

    name = "give_back_file"
    summary = "Put a file of the quarantine back where it was, if nothing is there now."
    side_effects = "A service that looks at the file sees it again."
    risk = Risk.LOW
    Params = GiveBackFileParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: GiveBackFileParams = self.params(request)
        kept, place = _kept(params, host), _free_place(params, host)
        return Plan(
            request=request,
            steps=(f"put {params.path} back from the quarantine ({_said(kept)})",),
            touches=touched_paths([params.path]),
            fingerprint=f"{kept.id}:{kept.sha256}:{place}",
            risk=self.risk,
            reversible=self.reversible,
            budget=self.budget,
            timeout_seconds=300.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackFileParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> None:
            _free_place(params, control.view)
            go_on()
            with control.open_directory(parent_of(params.path)) as parent:
                parent.give_back(params.quarantine, file_name(params.path))

        await in_thread(work, control)
        return Effect(True, f"put {params.path} back from the quarantine", before="absent", after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackFileParams = self.params(plan.request)
        kept, state = _kept(params, host), host.file(plain_path(params.path))
        if state is None:
            return f"{params.path} is not there"
        present = (state.kind, state.size, state.mode, state.owner, state.group)
        if present != ("file", kept.size, kept.mode, kept.owner, kept.group):
            return f"{params.path} is not what was kept ({_said(kept)})"
        return ""


def _kept(params: GiveBackFileParams, host: HostView) -> KeptFile:
    kept = host.kept_file(params.quarantine)
    if kept.path != params.path:
        raise UnsafePathError(f"{kept.id} was {kept.path}, not {params.path}; nothing was done")
    return kept


def _free_place(params: GiveBackFileParams, host: HostView) -> str:
    """Return what identifies the directory; StalePlanError if it is gone, or if the name is taken."""
    directory = host.file(plain_path(parent_of(params.path)))
    if directory is None or directory.kind != "directory":
        raise StalePlanError(f"the directory of {params.path} is not there any more; nothing was done")
    if host.file(params.path) is not None:
        raise StalePlanError(f"{params.path} is there again; what is there now is never replaced")
    return place_of(directory)


def _said(kept: KeptFile) -> str:
    return f"{size_in_words(kept.size)}, mode {kept.mode:04o}, owner {kept.owner}:{kept.group}"
