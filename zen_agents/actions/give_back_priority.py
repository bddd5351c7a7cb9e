"""give_back_priority: the inverse of renice_process."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from zen_agents.actions.inverse import Inverse, InverseParams
from zen_agents.actions.scope import in_thread, subject_of
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Risk
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_processes import Process


class GiveBackPriorityParams(InverseParams):
    """How nice each process was, and what the action left."""

    was: dict[str, int] = Field(min_length=1, description="pid:start_time of each process, and its niceness before")
    left: int = Field(description="niceness that the action gave them")


class GiveBackPriority(Inverse):
    """Gives each process that still is there, and still has what the action left, its niceness back."""

    name = "give_back_priority"
    summary = "Give processes the priority back that they had before renice_process."
    side_effects = "They take the share of the CPUs again that they took before."
    risk = Risk.LOW
    Params = GiveBackPriorityParams

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "process")
        params: GiveBackPriorityParams = self.params(request)
        found = _as_left(params, host)
        return self.planned(
            request,
            steps=tuple(
                f"set niceness of process {process.pid} ({process.name}) from {params.left} back to {nice}"
                for process, nice in found.items()
            ),
            touches=tuple(Resource(ResourceKind.PROCESS, process.fingerprint) for process in found),
            fingerprint=",".join(process.fingerprint for process in found),
            timeout_seconds=10.0,
            detail={"nice": min(found.values()), "names": [process.name for process in found]},
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: GiveBackPriorityParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> int:
            found = _as_left(params, control.view)
            if ",".join(process.fingerprint for process in found) != plan.fingerprint:
                raise StalePlanError
            for process, nice in found.items():
                go_on()
                control.renice(process, nice)
            return len(found)

        count = await in_thread(work, control)
        return Effect(True, f"{count} processes have their priority again", before=str(params.left))

    def missing(self, plan: Plan, host: HostView) -> str:
        params: GiveBackPriorityParams = self.params(plan.request)
        others = [process.name for process, nice in _present(params, host).items() if host.niceness(process) != nice]
        return f"{', '.join(others)} has another niceness" if others else ""


def _present(params: GiveBackPriorityParams, host: HostView) -> dict[Process, int]:
    found = {}
    for fingerprint, nice in params.was.items():
        pid, _, start_time = fingerprint.partition(":")
        process = host.process(int(pid))
        if process is not None and process.start_time == int(start_time):
            found[process] = nice
    return found


def _as_left(params: GiveBackPriorityParams, host: HostView) -> dict[Process, int]:
    """Return the processes that still are as the action left them; StalePlanError if there are none."""
    present = _present(params, host)
    found = {process: nice for process, nice in present.items() if host.niceness(process) == params.left}
    if not found:
        raise StalePlanError("none of the processes is there any more as it was left; nothing was done")
    return found
