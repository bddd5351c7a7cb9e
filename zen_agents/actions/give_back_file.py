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
        kept, place = kept_as(params.path, params.quarantine, host), free_place(params.path, host)
        return self.planned(
            request,
            steps=(f"put {params.path} back from the quarantine ({said_of(kept)})",),
            touches=touched_paths([params.path]),
            fingerprint=f"{kept.id}:{kept.sha256}:{place}",
            timeout_seconds=300.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackFileParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> None:
            free_place(params.path, control.view)
            go_on()
            with control.open_directory(parent_of(params.path)) as parent:
                parent.give_back(params.quarantine, file_name(params.path))

        await in_thread(work, control)
        return Effect(True, f"put {params.path} back from the quarantine", before="absent", after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackFileParams = self.params(plan.request)
        return not_as_kept(params.path, kept_as(params.path, params.quarantine, host), host)


def kept_as(path: str, id: str, host: HostView) -> KeptFile:
    """Return what the quarantine has of a file; UnsafePathError if that was another one."""
    kept = host.kept_file(id)
    if kept.path != path:
        raise UnsafePathError(f"{kept.id} was {kept.path}, not {path}; nothing was done")
    return kept


def free_place(path: str, host: HostView) -> str:
    """Return what identifies the directory; StalePlanError if it is gone, or if the name is taken."""
    directory = host.file(plain_path(parent_of(path)))
    if directory is None or directory.kind != "directory":
        raise StalePlanError(f"the directory of {path} is not there any more; nothing was done")
    if host.file(path) is not None:
        raise StalePlanError(f"{path} is there again; what is there now is never replaced")
    return place_of(directory)


def not_as_kept(path: str, kept: KeptFile, host: HostView) -> str:
    """Return how a file that was given back is not what was kept; "" if it is."""
    state = host.file(plain_path(path))
    if state is None:
        return f"{path} is not there"
    present = (state.kind, state.size, state.mode, state.owner, state.group)
    if present != ("file", kept.size, kept.mode, kept.owner, kept.group):
        return f"{path} is not what was kept ({said_of(kept)})"
    return ""


def said_of(kept: KeptFile) -> str:
    """Return in words what is given back."""
    return f"{size_in_words(kept.size)}, mode {kept.mode:04o}, owner {kept.owner}:{kept.group}"
