"""renice_process: let a runaway process take only what nobody else wants of the CPUs."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.give_back_priority import GiveBackPriority
from zen_agents.actions.runaway import MatchPolicy, RunawayAction, RunawayParams, fingerprint_of
from zen_agents.actions.scope import in_thread, subject_of
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_processes import Process
from zen_agents.ports.process_pattern import with_niceness


class ReniceProcessParams(RunawayParams):
    """Which processes, and how far down they go."""

    nice: int = Field(10, ge=1, le=19, description="niceness that they get, 1 to 19; never a smaller one than they have")


class ReniceProcessPolicy(MatchPolicy):
    """The scope: at most these names, and no nicer than this."""

    nice: int | None = Field(None, ge=1, le=19, description="no higher niceness than this; left out: whatever is configured")

    def permits(self, plan: Plan) -> str:
        wanted = int(plan.detail["nice"])
        if self.nice is not None and wanted > self.nice:
            return f"niceness {wanted} is above {self.nice}"
        return super().permits(plan)


class ReniceProcess(RunawayAction):
    """Raises the niceness of each thread of the runaways; their priority is never raised."""

    name = "renice_process"
    summary = "Lower the priority of a process that has used a CPU for too long."
    side_effects = "It is slower while others want the CPUs, and as fast as before while nobody does."
    risk = Risk.LOW
    reversible = Reversible.YES
    Params = ReniceProcessParams
    Policy = ReniceProcessPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "process")
        params: ReniceProcessParams = self.params(request)
        found = _found(params, host)
        return self.planned(
            request,
            steps=tuple(
                f"set niceness of process {process.pid} ({process.name}) from {nice} to {params.nice}"
                for process, nice in found.items()
            ),
            touches=tuple(Resource(ResourceKind.PROCESS, process.fingerprint) for process in found),
            fingerprint=fingerprint_of(list(found)),
            timeout_seconds=10.0,
            detail={"nice": params.nice, "names": [process.name for process in found]},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: ReniceProcessParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> dict[str, int]:
            found, was = _found(params, control.view), dict[str, int]()
            if fingerprint_of(list(found)) != plan.fingerprint:
                raise StalePlanError
            for process, nice in found.items():
                go_on()
                control.renice(process, params.nice)
                was[process.fingerprint] = nice
            return was

        was = await in_thread(work, control)
        return Effect(
            ok=True, detail=f"lowered the priority of {', '.join(plan.detail['names'])}",
            before=", ".join(map(str, was.values())), after=str(params.nice), undo={"was": was},
        )  # fmt: skip

    def inverse(self, plan: Plan, effect: Effect) -> ActionRequest | None:
        if not effect.undo:
            return None
        params = {"was": effect.undo["was"], "left": plan.detail["nice"]}
        return ActionRequest(GiveBackPriority.name, plan.request.target, params, inverse_of=self.name)


def _found(params: ReniceProcessParams, host: HostView) -> dict[Process, int]:
    """Return the runaways that are not as nice yet, and how nice they are; StalePlanError if there are none."""
    found = with_niceness(params.found(host), host)
    left = {busy.process: nice for busy, nice in found if nice < params.nice}
    if not left:
        raise StalePlanError(f"they have niceness {params.nice} or more already; there is nothing to do")
    return left
