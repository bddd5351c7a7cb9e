"""restart_service: bring a listed service back, by systemd or by its own commands."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.restart_by_command import (
    CommandParams,
    ProbeParams,
    command_steps,
    present_process,
    restart_by_command,
)
from zen_agents.actions.restart_unit import restart_detail, restart_unit, steps_before, unit_of
from zen_agents.actions.scope import subject_of
from zen_agents.errors import HostError, RefusedError
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import AbsolutePath, Name, UnitName
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_units import Unit, with_all_taken_along

#: A unit may take this long to stop and start before systemd gives up on it, plus some.
_UNIT_TIMEOUT_SECONDS = 240.0
_START_SECONDS = 30.0
#: Fingerprint of a service of which no process is known.
_ABSENT = "absent"


class RestartServiceParams(ActionParams):
    """Which service, and the one way in which it is started."""

    service: Name = Field(description="the service's name in the configuration")
    unit: UnitName | None = Field(None, description="its systemd unit")
    command: CommandParams | None = Field(None, description="its own commands, where no systemd unit is")
    pidfile: AbsolutePath | None = Field(
        None, description="where its process writes its pid, for a command that ends at once"
    )
    executable: str = Field("", description="program of the main process; needed if others can write the pidfile")
    stop_timeout_seconds: float = Field(10.0, gt=0, le=600, description="from TERM to KILL, in seconds")
    keep_running: bool = Field(False, description="true: started also after a person stopped it")
    probe: ProbeParams | None = Field(
        None, description="question that it answers while it runs: then its command starts no second copy"
    )

    @model_validator(mode="after")
    def _one_way(self) -> RestartServiceParams:
        if (self.unit is None) == (self.command is None):
            raise ValueError("a service needs exactly one way to start: unit or command")
        if self.pidfile is not None and self.command is None:
            raise ValueError("a pidfile says which process it is, not how it starts: add a command")
        return self


class RestartServicePolicy(ActionPolicy):
    """The scope: at most these units and services."""

    # An empty list is an error, never "all": a template that lost its values must not widen the scope (R1).
    units: Annotated[tuple[UnitName, ...], Field(min_length=1)] | None = Field(
        None, description="only these systemd units; left out: whatever the configuration names"
    )
    services: Annotated[tuple[Name, ...], Field(min_length=1)] | None = Field(
        None, description="only these services without a unit; left out: as for units"
    )

    def permits(self, plan: Plan) -> str:
        if not self.units and not self.services:
            return ""
        units = [touched.name for touched in plan.touches if touched.kind is ResourceKind.UNIT]
        if units:
            return "" if set(units) <= set(self.units or ()) else f"{units[0]} is not in units"
        service = plan.request.params.get("service")
        return "" if service in (self.services or ()) else f"{service} has no unit and is not in services"


class RestartService(Action):
    """Restarts one listed service once; what is gone is only started, what is still there is stopped first."""

    name = "restart_service"
    summary = "Restart a listed service, by systemd or by its own commands."
    side_effects = "Its connections end; what it had not saved is lost; units that require it restart with it."
    risk = Risk.MEDIUM
    reversible = Reversible.NO
    mends = (
        "process.{name}",
        "unit.{name}",
        "probe.{name}",
        "leak.{name}.",
        "cpu.",
        "load1",
        "load5",
        "load15",
        "memory.",
        "swap.",
        "pressure.",
        "disk.",
    )
    disturbs = ("process.{name}", "unit.{name}", "probe.{name}")
    Params = RestartServiceParams
    Policy = RestartServicePolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        name = subject_of(request, "service")
        params: RestartServiceParams = self.params(request)
        if params.service != name:
            raise RefusedError(f"the target is {request.target}, the parameters name {params.service}; nothing was done")
        if params.unit is not None:
            return self._unit_plan(request, unit_of(params.unit, host), host)
        return self._command_plan(request, params, host)

    def _unit_plan(self, request: ActionRequest, unit: Unit, host: HostView) -> Plan:
        main = host.process(unit.main_pid) if unit.main_pid > 0 else None
        return self.planned(
            request,
            steps=(*steps_before(unit, request), f"systemctl restart -- {unit.id}"),
            touches=(Resource(ResourceKind.UNIT, unit.id),),
            fingerprint=f"{unit.id}:{unit.invocation}:{unit.active_state}:{unit.changed_us}",
            expected_seconds=2.0,
            timeout_seconds=_UNIT_TIMEOUT_SECONDS,
            detail={
                **restart_detail(unit, request),
                "process": main.fingerprint if main is not None else "",
                "result": unit.result,
                "stopped": unit.was_stopped,
            },
            warning=f"takes along {', '.join(unit.takes_along[:10])}" if unit.takes_along else "",
            along=_along(unit, host),
        )

    def _command_plan(self, request: ActionRequest, params: RestartServiceParams, host: HostView) -> Plan:
        command = params.command
        assert command is not None  # noqa: S101 - the validator saw to it
        process = present_process(params.service, command, params.pidfile, params.executable, host)
        touches = [Resource(ResourceKind.SERVICE, params.service)]
        if process is not None:
            touches.append(Resource(ResourceKind.PROCESS, process.fingerprint))
        return self.planned(
            request,
            steps=command_steps(command, process, params.stop_timeout_seconds),
            touches=tuple(touches),
            fingerprint=process.fingerprint if process is not None else _ABSENT,
            timeout_seconds=2 * params.stop_timeout_seconds + _START_SECONDS,
        )

    async def preflight(self, plan: Plan, host: HostView) -> None:
        """Refuse a second copy: what answers runs, although its record or pidfile is lost."""
        params: RestartServiceParams = self.params(plan.request)
        if params.command is None or params.probe is None or plan.fingerprint != _ABSENT:
            return
        found = await params.probe.ask(host)
        if found.ok:
            where = params.pidfile or "the engine's record"
            raise RefusedError(
                f"{params.service} answers ({found.detail or params.probe.asked}), though {where} names no process of it; "
                "stop it, or let its pidfile name it",
                reason=Reason.ANSWERS,
            )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RestartServiceParams = self.params(plan.request)
        if params.command is None:
            return await restart_unit(str(plan.detail["unit"]), plan, control)
        return await restart_by_command(
            params.service, params.command, plan, control, pidfile=params.pidfile,
            executable=params.executable, stop_timeout_seconds=params.stop_timeout_seconds, start_seconds=_START_SECONDS,
        )  # fmt: skip

    def undone(self, plan: Plan) -> str:
        """A unit that failed, or ended by itself, was stopped by nobody."""
        return f"stopped {plan.detail['unit']}" if plan.detail.get("stopped") else ""

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        params: RestartServiceParams = self.params(plan.request)
        kind = "process" if params.unit is None else "unit"
        return f"{kind}.{params.service}", plan.request.target


def _along(unit: Unit, host: HostView) -> tuple[Resource, ...]:
    """Return the units that a restart takes along; where they are too many, those that it takes itself."""
    try:
        names = set(with_all_taken_along({unit.id: unit}, host))
    except HostError:
        names = set(unit.takes_along)
    return tuple(Resource(ResourceKind.UNIT, name) for name in sorted(names - {unit.id}))
