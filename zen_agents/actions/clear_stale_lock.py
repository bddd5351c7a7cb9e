"""clear_stale_lock: move the lock file of a job away whose holder is not there any more."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.give_back_file import GiveBackFile
from zen_agents.actions.scope import PathsPolicy, in_thread, parent_of, plain_path, subject_of, touched_paths
from zen_agents.clock import Clock, SystemClock
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import FileState, HostControl, HostView
from zen_agents.ports.pid_file import stale_pid_file


class ClearStaleLockParams(ActionParams):
    """Which lock, and what program would hold it rightly."""

    path: AbsolutePath = Field(description="the lock file, which holds the pid of its holder")
    executable: str = Field(description="path of the job's program, or of its script")


class ClearStaleLock(Action):
    """Moves a lock file into the quarantine if its holder is dead, or its pid was given to another program since."""

    name = "clear_stale_lock"
    summary = "Move the lock file of a job into the quarantine whose holder is gone, so that the next run can begin."
    side_effects = "The next run of the job begins."
    risk = Risk.LOW
    reversible = Reversible.YES
    mends = ("job.{name}.lock",)
    Params = ClearStaleLockParams
    Policy = PathsPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "job")
        params: ClearStaleLockParams = self.params(request)
        state, why = self._stale(params, host)
        return Plan(
            request=request,
            steps=(f"move {params.path} into the quarantine: {why}",),
            touches=touched_paths([params.path]),
            fingerprint=state.fingerprint,
            risk=self.risk,
            reversible=self.reversible,
            budget=self.budget,
            timeout_seconds=30.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: ClearStaleLockParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> tuple[str, str]:
            state, why = self._stale(params, control.view)
            if state.fingerprint != plan.fingerprint:
                raise StalePlanError
            go_on()
            with control.open_directory(parent_of(params.path)) as parent:
                return parent.quarantine(state, action=self.name), why

        kept, why = await in_thread(work, control)
        return Effect(
            ok=True, detail=f"moved {params.path} into the quarantine as {kept}: {why}", before="held by nobody",
            after="free", undo={"quarantine": kept, "path": params.path},
        )  # fmt: skip

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        kept = {name: effect.undo[name] for name in ("quarantine", "path")}
        return ActionRequest(GiveBackFile.name, plan.request.target, kept, inverse_of=self.name)

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"job.{subject_of(plan.request, 'job')}.lock", plan.request.target

    def _stale(self, params: ClearStaleLockParams, host: HostView) -> tuple[FileState, str]:
        now = self._clock.now().wall.timestamp()
        return stale_pid_file(plain_path(params.path), params.executable, host, wall_seconds=now)
