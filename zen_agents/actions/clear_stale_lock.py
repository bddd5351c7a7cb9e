"""clear_stale_lock: move the lock file of a job away whose holder is not there any more."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.scope import subject_of
from zen_agents.actions.stale_pid_file import MoveStalePidFile, PidFileParams
from zen_agents.model.action import ActionRequest, Plan


class ClearStaleLockParams(PidFileParams):
    """Which lock, and what program would hold it rightly."""

    executable: str = Field(description="path of the job's program, or of its script")


class ClearStaleLock(MoveStalePidFile):
    """Moves a lock file into the quarantine if its holder is dead, or its pid was given to another program since."""

    name = "clear_stale_lock"
    summary = "Move the lock file of a job into the quarantine whose holder is gone, so that the next run can begin."
    side_effects = "The next run of the job begins."
    mends = ("job.{name}.lock",)
    Params = ClearStaleLockParams

    def check_subject(self, request: ActionRequest) -> None:
        subject_of(request, "job")

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"job.{subject_of(plan.request, 'job')}.lock", plan.request.target
