"""remove_stale_pidfile: move a pidfile away that names a process which is not there any more."""

from __future__ import annotations

import os
from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.give_back_file import GiveBackFile
from zen_agents.actions.scope import PathsPolicy, in_thread, parent_of, plain_path, subject_of, touched_paths
from zen_agents.clock import Clock, SystemClock
from zen_agents.errors import RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath, Name
from zen_agents.ports.host import FileState, HostControl, HostView, Process

_ENDED = frozenset("ZXx")
_TICKS = os.sysconf("SC_CLK_TCK")
#: How far the times of a file and of a process may be apart by rounding.
_SLACK_SECONDS = 2.0


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
        state = host.file(plain_path(params.path))
        if state is None:
            raise StalePlanError(f"{params.path} is not there; there is nothing to do")
        if state.kind != "file" or state.links != 1:
            raise UnsafePathError(f"{params.path} is a {state.kind} with {state.links} links, no plain pidfile; it is left")
        text = host.read_text(params.path, limit=64).strip()
        if not (text.isascii() and text.isdigit()) or not 0 < int(text) <= 2**22:
            raise RefusedError(f"{params.path} holds no pid; whether it is stale cannot be told, so it is left")
        process = host.process(int(text))
        if process is None or process.state in _ENDED:
            return state, f"process {text} is gone"
        return state, self._reused(params, process, state, host)

    def _reused(self, params: RemoveStalePidfileParams, process: Process, state: FileState, host: HostView) -> str:
        """Return why a live process is not the file's: another program, and one that began after the file was written."""
        alive = f"process {process.pid} ({process.name}) is alive; {params.path} is left"
        if not params.executable:
            raise RefusedError(alive)
        running = host.executable(process).removesuffix(" (deleted)")
        if running == params.executable or params.executable in host.command_line(process):
            raise RefusedError(alive)
        age = host.boot_seconds() - process.start_time / _TICKS
        if self._clock.now().wall.timestamp() - age <= state.modified + _SLACK_SECONDS:
            raise RefusedError(alive)
        return f"process {process.pid} is {running}, not {params.executable}, and began after the file was written"
