"""One action at a time on a target."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import one_line, span
from zen_agents.model.action import Plan
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.store import ActionRow


class Lease(Guard):
    """Refuses everyone while another action holds the target, or something the plan touches, or has not been judged yet."""

    name = "lease"
    why = "Two actions on one target at once undo each other."

    def assess(self, question: Question) -> Answer:
        target, now = question.request.target, question.now.steady
        lease = question.store.lease(target)
        if lease is not None and lease.until > now:
            value = f"held by {lease.action}, {span(lease.until - now)} left at most"
            return self.deny(Reason.LEASE_HELD, value, until=lease.until)
        for row in question.store.unfinished():
            if row.target == target:
                return self.deny(Reason.DUPLICATE, f"{row.id} ({row.action}) is {row.kind.value}")
            if shared := _shared(row, question.plan):
                value = (
                    f"{row.id} ({row.action} {one_line(row.target)}) is {row.kind.value} and touches {one_line(shared)} too"
                )
                return self.deny(Reason.LEASE_HELD, value)
        return self.allow("free")


def _shared(row: ActionRow, plan: Plan) -> str:
    """Return what a plan touches of what an unfinished action does, whatever both call their targets; "" if nothing."""
    held = [(str(each["kind"]), str(each["name"])) for each in row.plan["touches"]]
    for resource in plan.touches:
        for kind, name in held:
            if kind == resource.kind.value and (name == resource.name or (kind == "path" and _nested(name, resource.name))):
                return resource.name
    return ""


def _nested(one: str, other: str) -> bool:
    return one.startswith(other.rstrip("/") + "/") or other.startswith(one.rstrip("/") + "/")
