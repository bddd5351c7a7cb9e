"""remove_stale_pidfile: move a pidfile away that names a process which is not there any more."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.scope import subject_of
from zen_agents.actions.stale_pid_file import MoveStalePidFile, PidFileParams
from zen_agents.errors import RefusedError
from zen_agents.model.action import ActionRequest
from zen_agents.model.scalars import Name


class RemoveStalePidfileParams(PidFileParams):
    """Whose pidfile, and what program would be the right one."""

    service: Name = Field(description="the service whose pidfile it is")


class RemoveStalePidfile(MoveStalePidFile):
    """Moves a pidfile into the quarantine if its pid is dead, or was given to another program after it was written."""

    name = "remove_stale_pidfile"
    summary = "Move a pidfile into the quarantine whose process is gone, so that the service can start again."
    side_effects = "A service that refuses to start because of the file starts again."
    mends = ("process.{name}", "unit.{name}", "probe.{name}")
    Params = RemoveStalePidfileParams

    def check_subject(self, request: ActionRequest) -> None:
        params: RemoveStalePidfileParams = self.params(request)
        if params.service != subject_of(request, "service"):
            raise RefusedError(f"the target is {request.target}, the pidfile is said to be {params.service}'s")
