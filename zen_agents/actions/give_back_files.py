"""give_back_files: the inverse of an action that moved several files into the quarantine."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from zen_agents.actions.give_back_file import free_place, kept_as, not_as_kept, said_of
from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import file_name, in_thread, parent_of, touched_paths
from zen_agents.model.action import ActionRequest, Effect, Plan, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView


class TakenFile(BaseModel):
    """One file that was moved away."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    path: AbsolutePath = Field(description="where the file was")
    quarantine: str = Field(description="its id in the quarantine")


class GiveBackFilesParams(InverseParams):
    """What lies in the quarantine, and where it was."""

    files: tuple[TakenFile, ...] = Field(min_length=1, description="the files")


class GiveBackFiles(Inverse):
    """Copies files out of the quarantine, with owner, mode and times; never over what is there now."""

    name = "give_back_files"
    summary = "Put files of the quarantine back where they were, if nothing is there now."
    side_effects = "Who reads the files finds them again, with what was wrong in them."
    risk = Risk.LOW
    Params = GiveBackFilesParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        params: GiveBackFilesParams = self.params(request)
        found = [
            (each.path, kept_as(each.path, each.quarantine, host), free_place(each.path, host)) for each in params.files
        ]
        return self.planned(
            request,
            steps=tuple(f"put {path} back from the quarantine ({said_of(kept)})" for path, kept, _ in found),
            touches=touched_paths([path for path, _, _ in found]),
            fingerprint="+".join(f"{kept.id}:{kept.sha256}:{place}" for _, kept, place in found),
            timeout_seconds=600.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackFilesParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> None:
            for each in params.files:
                free_place(each.path, control.view)
                go_on()
                with control.open_directory(parent_of(each.path)) as parent:
                    parent.give_back(each.quarantine, file_name(each.path))

        await in_thread(work, control)
        paths = ", ".join(each.path for each in params.files)
        return Effect(True, f"put back from the quarantine: {paths}", before="absent", after="as before")

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackFilesParams = self.params(plan.request)
        found = (not_as_kept(each.path, kept_as(each.path, each.quarantine, host), host) for each in params.files)
        return next(filter(None, found), "")
