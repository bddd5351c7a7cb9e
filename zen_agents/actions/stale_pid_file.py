"""What moving a file away has in common that names a process which is gone: a pidfile, a job's lock."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.give_back_file import GiveBackFile
from zen_agents.actions.scope import PathsPolicy, in_thread, parent_of, plain_path, touched_paths
from zen_agents.clock import Clock, ForwardSteps, SystemClock
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState
from zen_agents.ports.pid_file import stale_pid_file


class PidFileParams(ActionParams):
    """Which file, and what program would hold it rightly."""

    path: AbsolutePath = Field(description="the file, which holds the pid of its process")
    executable: str = Field("", description="path of the program, or of its script; without it a live pid is never stale")


class MoveStalePidFile(Action):
    """Moves the file into the quarantine if its pid is dead, or was given to another program after it was written."""

    risk = Risk.LOW
    reversible = Reversible.YES
    Policy = PathsPolicy

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        #: By path: each has a process of another age.
        self._steps: dict[str, ForwardSteps] = {}
        self._began = self._clock.now()

    @abstractmethod
    def check_subject(self, request: ActionRequest) -> None:
        """Raise RefusedError if the target is not what the parameters are about (R1)."""

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        self.check_subject(request)
        params: PidFileParams = self.params(request)
        state, why = self._stale(params, host)
        return self.planned(
            request,
            steps=(f"move {params.path} into the quarantine: {why}",),
            touches=touched_paths([params.path]),
            fingerprint=state.fingerprint,
            timeout_seconds=30.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: PidFileParams = self.params(plan.request)

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

    def _stale(self, params: PidFileParams, host: HostView) -> tuple[FileState, str]:
        """Return the file and why it is stale; raises if it is not, or if that cannot be told."""
        steps = self._steps.setdefault(params.path, ForwardSteps(self._began))
        return stale_pid_file(plain_path(params.path), params.executable, host, now=self._clock.now(), steps=steps)
