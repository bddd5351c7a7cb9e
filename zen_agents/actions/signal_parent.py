"""signal_parent: ask the parents of ended children of a service to ask for them. Zombies themselves cannot be killed."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Mapping

from pydantic import Field, model_validator

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.scope import in_thread, subject_of
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.scalars import AbsolutePath, Name, UnitName
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_processes import ENDED, Process, family

#: Parents that are told; a service with more of them has another fault.
_MOST_PARENTS = 16


class SignalParentParams(ActionParams):
    """Which service, and how its main process is known."""

    service: Name = Field(description="the service's name in the configuration")
    unit: UnitName | None = Field(None, description="its systemd unit")
    pidfile: AbsolutePath | None = Field(None, description="where its process writes its pid")
    user: str = Field("", description="account that the pidfile's process must run as, where others can write the file")
    executable: str = Field("", description="program of the main process; needed if others can write the pidfile")

    @model_validator(mode="after")
    def _one_way(self) -> SignalParentParams:
        if self.unit is not None and self.pidfile is not None:
            raise ValueError("a service is known by its unit or by its pidfile, not by both")
        return self


class SignalParent(Action):
    """Sends SIGCHLD, which nobody dies of, to each process of a service that has ended children."""

    name = "signal_parent"
    summary = "Send SIGCHLD to the processes of a service that leave ended children (zombies) behind."
    side_effects = "Their handler of SIGCHLD runs once more than their children ended."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("leak.{name}.zombies",)
    Params = SignalParentParams
    Policy = ActionPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        name = subject_of(request, "service")
        params: SignalParentParams = self.params(request)
        if params.service != name:
            raise RefusedError(f"the target is {request.target}, the parameters name {params.service}; nothing was done")
        parents = _parents(params, host)
        if not parents:
            raise StalePlanError(f"{name} has no ended children; there is nothing to do")
        return self.planned(
            request,
            steps=tuple(
                f"signal CHLD to process {parent.pid} ({parent.name}), which has {count} ended children"
                for parent, count in parents.items()
            ),
            touches=tuple(Resource(ResourceKind.PROCESS, parent.fingerprint) for parent in parents),
            fingerprint=_fingerprint(parents),
            timeout_seconds=10.0,
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: SignalParentParams = self.params(plan.request)

        def work(go_on: Callable[[], None]) -> int:
            parents = _parents(params, control.view)
            if _fingerprint(parents) != plan.fingerprint:
                raise StalePlanError
            for parent in parents:
                go_on()
                control.signal(parent, signal.SIGCHLD)
            return len(parents)

        told = await in_thread(work, control)
        return Effect(ok=True, detail=f"told {told} of its processes that children of theirs have ended")


def _parents(params: SignalParentParams, host: HostView) -> Mapping[Process, int]:
    """Return the live processes of the service that have ended children, and how many; most of them first."""
    main = _main(params, host)
    if main is None or main.state in ENDED:
        raise StalePlanError(f"no process of {params.service} runs; there is nothing to do")
    members = family(main, host)
    left = Counter(member.parent for member in members if member.state in ENDED)
    by_pid = {member.pid: member for member in members if member.state not in ENDED}
    return {by_pid[pid]: count for pid, count in left.most_common(_MOST_PARENTS) if pid in by_pid}


def _main(params: SignalParentParams, host: HostView) -> Process | None:
    if params.pidfile is not None:
        return host.pidfile_process(params.pidfile, user=params.user, executable=params.executable)
    if params.unit is None:
        return host.service_process(params.service)
    unit = host.unit(params.unit)
    if unit is None:
        raise HostError(f"systemd does not know {params.unit}")
    return host.process(unit.main_pid) if unit.main_pid > 0 else None


def _fingerprint(parents: Mapping[Process, int]) -> str:
    return ",".join(sorted(parent.fingerprint for parent in parents))
