"""What a plan touches, followed to everything that would be hit with it."""

from __future__ import annotations

from collections.abc import Iterator

from zen_agents.errors import HostError, StalePlanError
from zen_agents.guards.base import Question
from zen_agents.model.action import ResourceKind
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import Unit, with_all_taken_along

#: No chain of parents is longer than this on a sound host.
_MOST_ANCESTORS = 64


def names(question: Question, kind: ResourceKind) -> tuple[str, ...]:
    """Return the names of all touched things of a kind, in the plan's order."""
    return tuple(resource.name for resource in question.plan.touches if resource.kind is kind)


def units(question: Question) -> dict[str, Unit]:
    """Return the touched units by canonical id. Raises HostError for one that systemd does not know."""
    found = {}
    for name in names(question, ResourceKind.UNIT):
        unit = question.host.unit(name)
        if unit is None:
            raise HostError(f"systemd does not know {name}")
        found[unit.id] = unit
    return found


def units_with_all_taken_along(question: Question) -> dict[str, Unit | None]:
    """Return the touched units and all that a stop or restart takes along; see `with_all_taken_along`."""
    return with_all_taken_along(units(question), question.host)


def processes(question: Question) -> tuple[Process, ...]:
    """Return the touched processes. Raises StalePlanError if one is gone, or its pid is another's by now (R20)."""
    found = []
    for name in names(question, ResourceKind.PROCESS):
        pid, _, start_time = name.partition(":")
        process = question.host.process(int(pid))
        if process is None or process.start_time != int(start_time):
            raise StalePlanError(f"process {pid} is no longer the one that was looked at")
        found.append(process)
    return tuple(found)


def ancestors(host: HostView, process: Process) -> Iterator[Process]:
    """Yield a process's parents, nearest first, without pid 1."""
    parent = process.parent
    for _ in range(_MOST_ANCESTORS):
        above = host.process(parent) if parent > 1 else None
        if above is None:
            return
        yield above
        parent = above.parent
