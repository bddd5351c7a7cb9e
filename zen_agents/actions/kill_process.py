"""kill_process: end the one process that has run away, if a person named it in the allow-list."""

from __future__ import annotations

from pydantic import Field

from zen_agents.actions.runaway import MatchPolicy, RunawayAction, RunawayParams, touched_processes
from zen_agents.actions.scope import subject_of
from zen_agents.errors import ActionFailedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Reversible, Risk
from zen_agents.model.scalars import Regex
from zen_agents.ports.host import HostControl, HostView

_KILL_SECONDS = 10.0


class KillProcessParams(RunawayParams):
    """Which process, and how long it may take to end."""

    stop_timeout_seconds: float = Field(10.0, gt=0, le=600, description="from TERM to KILL, in seconds")


class KillProcessPolicy(MatchPolicy):
    """The scope has to be written: what may be killed is named, or nothing is."""

    match: Regex | None = Field(None, description="only processes whose name matches; left out: none")

    def permits(self, plan: Plan) -> str:
        if not self.match:
            return "`match` names no process that may be killed"
        return super().permits(plan)


class KillProcess(RunawayAction):
    """Ends one process, the one that is busy for longest; the next one is another decision."""

    name = "kill_process"
    summary = "End a process that has used a CPU for too long."
    side_effects = "What it had not saved is lost; what it led a session of ends with it; its parent may start it again."
    risk = Risk.HIGH
    reversible = Reversible.NO
    mends = ("runaway.{name}", "cpu.", "load1", "load5", "load15", "memory.", "swap.", "pressure.")
    disturbs = ("process.", "unit.", "probe.")
    Params = KillProcessParams
    Policy = KillProcessPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "process")
        params: KillProcessParams = self.params(request)
        process = params.found(host)[0].process
        return self.planned(
            request,
            steps=(f"signal TERM to process {process.pid} ({process.name}), KILL after {params.stop_timeout_seconds:g} s",),
            touches=touched_processes([process], host),
            fingerprint=process.fingerprint,
            timeout_seconds=params.stop_timeout_seconds + _KILL_SECONDS,
            detail={"names": [process.name]},
            warning="irreversible: what the process had not saved is lost",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: KillProcessParams = self.params(plan.request)
        process = params.found(control.view)[0].process
        if process.fingerprint != plan.fingerprint:
            raise StalePlanError
        if not await control.stop_process(process, timeout_seconds=params.stop_timeout_seconds):
            raise ActionFailedError(f"process {process.pid} ({process.name}) cannot be ended, it hangs in the kernel")
        return Effect(True, f"ended process {process.pid} ({process.name})", before=process.state, after="gone")
