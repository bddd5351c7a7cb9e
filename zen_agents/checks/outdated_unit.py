"""Whether one unit still runs with what an upgrade has replaced; see `checks.upgrade`, which asks it of all processes."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import ProcessGoneError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process

#: So many files are named; the rest is counted.
_SHOWN = 3


def outdated_name(unit: str) -> str:
    """Return what the observation about a unit is called; `restart_service` mends what begins so."""
    return f"unit.{unit}.outdated"


class OutdatedUnitCheck(Check):
    """Observes `unit.UNIT.outdated` (judged; the value is how many replaced files its processes have mapped)."""

    __slots__ = ("_unit",)

    kind = "outdated_unit"
    summary = "Does this unit still run with programs or libraries that were replaced?"

    def __init__(self, unit: str, *, every_seconds: float) -> None:
        super().__init__(
            name=f"outdated.{unit}", target=f"service:{unit}", every_seconds=every_seconds, timeout_seconds=20.0
        )
        self._unit = unit

    @property
    def observes(self) -> tuple[str, ...]:
        return (outdated_name(self._unit),)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look at what each of its processes has mapped; a unit without any runs with nothing old."""
        files = {file.rpartition("/")[2] for process in self._processes(host) for file in _replaced(process, host)}
        status, said = Status.OK, "it runs with nothing that was replaced"
        if files:
            more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
            status, said = Status.PROBLEM, f"it runs with what was replaced: {', '.join(sorted(files)[:_SHOWN])}{more}"
        return (Observation(self.observes[0], self.target, status, now, float(len(files)), said),)

    def _processes(self, host: HostView) -> Sequence[Process]:
        return [each for each in host.processes().values() if _is_of(each, self._unit, host)]


def _is_of(process: Process, unit: str, host: HostView) -> bool:
    try:
        return unit in host.cgroup(process).split("/")
    except ProcessGoneError:
        return False


def _replaced(process: Process, host: HostView) -> Sequence[str]:
    try:
        return host.replaced_files(process)
    except ProcessGoneError:
        return ()
