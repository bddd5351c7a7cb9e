"""remove_made_directories: the inverse of create_directory."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import ActionParams
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import in_thread, parent_of, place_of, plain_path, subject_of, touched_paths
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState


class MadeDirectory(ActionParams):
    """One directory that was made."""

    path: AbsolutePath = Field(description="where")
    place: str = Field(description="device:inode")


class RemoveMadeDirectoriesParams(InverseParams):
    """What was made, the outermost first."""

    made: tuple[MadeDirectory, ...] = Field(min_length=1, description="the directories")


class RemoveMadeDirectories(Inverse):
    """Removes the very directories that were made, the innermost first, if nothing is in them."""

    name = "remove_made_directories"
    summary = "Remove the directories that create_directory made, if they are empty."
    side_effects = "Programs that work in them find no directory any more."
    risk = Risk.LOW
    Params = RemoveMadeDirectoriesParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "path")
        params: RemoveMadeDirectoriesParams = self.params(request)
        states = _empty(params, host)
        return self.planned(
            request,
            steps=tuple(f"remove the empty directory {state.path}" for state in states),
            touches=touched_paths(state.path for state in states),
            fingerprint="+".join(state.fingerprint for state in states),
            timeout_seconds=30.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RemoveMadeDirectoriesParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> list[str]:
            states = _empty(params, control.view)
            for state in states:
                go_on()
                with control.open_directory(parent_of(state.path)) as parent:
                    parent.remove_directory(state)
            return [state.path for state in states]

        removed = await in_thread(work, control)
        return Effect(True, f"removed {', '.join(removed)}", before="empty", after="missing")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: RemoveMadeDirectoriesParams = self.params(plan.request)
        there = [made.path for made in params.made if host.file(plain_path(made.path)) is not None]
        return f"{', '.join(there)} is still there" if there else ""


def _empty(params: RemoveMadeDirectoriesParams, host: HostView) -> list[FileState]:
    """Return the directories, the innermost first; StalePlanError if one is another, or holds more than the next one."""
    found: list[FileState] = []
    for made in reversed(params.made):
        state = host.file(plain_path(made.path))
        if state is None or state.kind != "directory" or place_of(state) != made.place:
            raise StalePlanError(f"the directory that was made is not at {made.path} any more; nothing was done")
        inside = {entry.path for entry in host.list_directory(made.path, limit=2)} - {below.path for below in found}
        if inside:
            raise StalePlanError(f"{made.path} is in use: {min(inside)} is in it; nothing was done")
        found.append(state)
    return found
