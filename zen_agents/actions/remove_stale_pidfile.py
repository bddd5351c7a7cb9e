"""remove_stale_pidfile: move a pidfile away that names a process which is not there any more."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.give_back_file import GiveBackFile
from zen_agents.actions.scope import PathsPolicy, in_thread, parent_of, plain_path, subject_of, touched_paths
from zen_agents.clock import Clock, SystemClock
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath, Name
from zen_agents.ports.host import FileState, HostControl, HostView
from zen_agents.ports.pid_file import stale_pid_file


class RemoveStalePidfileParams(ActionParams):
    """Whose pidfile, and what program would be the right one."""

    service: Name = Field(description="the service whose pidfile it is")
    path: AbsolutePath = Field(description="the pidfile")
    executable: str = Field("", description="path of the service's program; without it a pid that is alive is never stale")


class RemoveStalePidfile(Action):
    """Moves a pidfile into the quarantine if its pid is dead, or was given to another program after it was written."""

    name = "remove_stale_pidfile"
    summary = "Move a pidfile into the quarantine whose process is gone, so that the service can start again."
    side_effects = "A service that refuses to start because of the file starts again."
    risk = Risk.LOW
    reversible = Reversible.YES
    mends = ("process.{name}", "unit.{name}", "probe.{name}")
    Params = RemoveStalePidfileParams
    Policy = PathsPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        name = subject_of(request, "service")
        params: RemoveStalePidfileParams = self.params(request)
        if params.service != name:
            raise RefusedError(f"the target is {request.target}, the pidfile is said to be {params.service}'s")
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
            detail={"why": why},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RemoveStalePidfileParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> tuple[str, str]:
            state, why = self._stale(params, control.view)
            if state.fingerprint != plan.fingerprint:
                raise StalePlanError
            go_on()
            with control.open_directory(parent_of(params.path)) as parent:
                return parent.quarantine(state, action=self.name), why

        kept, why = await in_thread(work, control)
        return Effect(
            ok=True, detail=f"moved {params.path} into the quarantine as {kept}: {why}", before="stale", after="absent",
            undo={"quarantine": kept, "path": params.path},
        )  # fmt: skip

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        kept = {name: effect.undo[name] for name in ("quarantine", "path")}
        return ActionRequest(GiveBackFile.name, plan.request.target, kept, inverse_of=self.name)

    def _stale(self, params: RemoveStalePidfileParams, host: HostView) -> tuple[FileState, str]:
        """Return the pidfile and why it is stale; raises if it is not, or if that cannot be told."""
        now = self._clock.now().wall.timestamp()
        return stale_pid_file(plain_path(params.path), params.executable, host, wall_seconds=now)
