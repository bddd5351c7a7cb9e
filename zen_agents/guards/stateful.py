"""Stateful services (R25)."""

from __future__ import annotations

from collections.abc import Iterator

from zen_agents.guards import stateful_names, touched
from zen_agents.guards.base import Guard, Policy, Question
from zen_agents.guards.patterns import matches
from zen_agents.guards.wording import one_line
from zen_agents.model.action import ResourceKind
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.host_units import Unit

_TREES = tuple(f"{tree}/" for tree in stateful_names.TREES)
_IN_BETWEEN = frozenset({"activating", "deactivating", "reloading", "refreshing", "maintenance"})


class Stateful(Guard):
    """Refuses databases, brokers and storage unless the host's own file allows them by name; waits while one recovers."""

    name = "stateful"
    why = "Killing a database that recovers, or restarting a broker unasked, costs more than the outage."
    overridable = True

    def assess(self, question: Question) -> Answer:
        policy, action = question.policy, question.request.action
        origin = policy.origin(f"actions.allow.{action}.approval", f"actions.allow.{action}")
        named = False
        for name, unit in _hit(question):
            if not is_stateful(name, policy):
                continue
            named = True
            if not _is_allowed(name, question):
                value = f"{one_line(name)} is stateful and not allowed by name with approval: auto"
                return self.deny(Reason.STATEFUL, value, origin=origin)
            if unit is not None and (unit.busy or unit.active_state in _IN_BETWEEN):
                return self.deny(Reason.STATEFUL, f"{name} is {unit.active_state} ({unit.sub_state}), which is waited for")
        if named:
            return self.allow("allowed by name", origin=origin)
        return self.allow("nothing stateful is touched", origin=policy.origin("protected.stateful_units"))


def _hit(question: Question) -> Iterator[tuple[str, Unit | None]]:
    """Yield the names of all that would be restarted or changed, also what units take along."""
    yield from touched.units_with_all_taken_along(question).items()
    for name in touched.names(question, ResourceKind.SERVICE):
        yield name, None
    for process in touched.processes(question):
        yield process.name, None
    for path in touched.names(question, ResourceKind.PATH):
        yield path, None


def is_stateful(name: str, policy: Policy) -> bool:
    """Tell whether a unit, service, process or path is of a stateful service."""
    if name.startswith("/"):
        return f"{name}/".startswith(_TREES)
    plain = name.removesuffix(".service").lower()
    patterns = (*stateful_names.NAMES, *(unit.removesuffix(".service").lower() for unit in policy.stateful_units))
    return matches(plain, patterns)


def _is_allowed(name: str, question: Question) -> bool:
    """Tell whether the host's own file names it, or names the touched unit or service that this process is."""
    allowed = question.policy.stateful_allowed
    if name in allowed or f"{name}.service" in allowed:
        return True
    if any(process.name == name for process in touched.processes(question)):
        return question.request.target in allowed or question.request.target.removeprefix("service:") in allowed
    return False
