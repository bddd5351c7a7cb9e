"""What the actions on runaway processes share: which process is meant, and by which names the allow-list permits it."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.actions.scope import subject_of
from zen_agents.errors import StalePlanError
from zen_agents.model.action import Plan, Resource, ResourceKind
from zen_agents.model.pattern import compiled
from zen_agents.model.scalars import AbsolutePath, Account, Regex, UnitName
from zen_agents.ports.host import HostView
from zen_agents.ports.host_process_use import Busy
from zen_agents.ports.host_processes import Process
from zen_agents.ports.process_pattern import ProcessPattern, runaways

#: More of them at once are another fault than a runaway.
_MOST = 20


class RunawayParams(ActionParams):
    """Which processes are meant, and when one of them has run away."""

    match: Regex = Field(description="regular expression for the name (15 characters)")
    unit: UnitName | None = Field(None, description="the unit it belongs to")
    executable: AbsolutePath | None = Field(None, description="its program, or the script that its interpreter runs")
    user: Account | None = Field(None, description="the account it runs as")
    cpu_percent: float = Field(gt=0, description="percent of one CPU that is too much")
    for_seconds: float = Field(ge=0, description="how long it must have been above it, in seconds")

    @property
    def pattern(self) -> ProcessPattern:
        """The processes that are meant."""
        return ProcessPattern(self.match, self.unit or "", self.executable or "", self.user or "")

    def found(self, host: HostView) -> list[Busy]:
        """Return those that have run away; StalePlanError if none has."""
        found = list(runaways(self.pattern, self.cpu_percent, self.for_seconds, host))[:_MOST]
        if not found:
            raise StalePlanError("none of these processes is busy for so long (any more); there is nothing to do")
        return found


class RunawayAction(Action):
    """Something that is done about processes that have run away; the look at them tells whether it helped."""

    mends: ClassVar[tuple[str, ...]] = ("runaway.{name}", "cpu.", "load1", "load5", "load15", "pressure.cpu.")

    def postcondition(self, plan: Plan) -> tuple[str, str] | None:
        return f"runaway.{subject_of(plan.request, 'process')}", plan.request.target


class MatchPolicy(ActionPolicy):
    """The scope: processes of at most these names."""

    match: Regex | None = Field(None, description="only processes whose name matches; left out: whatever is configured")

    def permits(self, plan: Plan) -> str:
        if self.match is None:
            return ""
        for name in plan.detail["names"]:
            if compiled(self.match).search(name) is None:
                return f"process {name} does not match {self.match}"
        return ""


def touched_processes(found: list[Process], host: HostView) -> tuple[Resource, ...]:
    """Return processes, and the units whose main process they are, as what a plan touches."""
    touched = [Resource(ResourceKind.PROCESS, process.fingerprint) for process in found]
    for process in found:
        name = host.cgroup(process).rpartition("/")[2]
        unit = host.unit(name) if name.endswith((".service", ".scope")) else None
        if unit is not None and unit.main_pid == process.pid:
            touched.append(Resource(ResourceKind.UNIT, unit.id))
    return tuple(touched)


def fingerprint_of(found: list[Process]) -> str:
    """Return the identity of processes, in any order."""
    return ",".join(sorted(process.fingerprint for process in found))
