"""The allow-list, the declared scope, and targets that name nothing."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import one_line
from zen_agents.model.action import ResourceKind
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

_NAMES_NOTHING = frozenset({"", "*", "**", "all", "None", "null"})


class AllowList(Guard):
    """Refuses what the configuration does not name: the action, the pair of action and target, and all that it touches."""

    name = "allow_list"
    why = "Nothing is run that is not listed, and an empty or unknown target never means all."

    def assess(self, question: Question) -> Answer:
        request, policy = question.request, question.policy
        path = f"actions.allow.{request.listed_as}"
        origin = policy.origin(path)
        allowance = policy.allowed.get(request.listed_as)
        if allowance is None:
            value = f"{one_line(request.listed_as) or 'an action without a name'} is not listed"
            return self.deny(Reason.NOT_ALLOWED, value, origin=policy.origin("actions.allow", "actions"))
        nothing = _names_nothing(question)
        if nothing:
            return self.deny(Reason.NO_TARGET, nothing, origin=origin)
        if (request.listed_as, request.target) not in policy.declared:
            value = f"{one_line(request.target)} is not declared for {request.listed_as}"
            return self.deny(Reason.OUT_OF_SCOPE, value, origin=origin)
        outside = allowance.permits(question.plan)
        if outside:
            return self.deny(Reason.OUT_OF_SCOPE, one_line(outside), origin=origin)
        return self.allow(f"{one_line(request.target)} listed", origin=origin)


def _names_nothing(question: Question) -> str:
    """Return what about the target or the plan names nothing, "" if all is named."""
    request, plan = question.request, question.plan
    kind, colon, name = request.target.partition(":")
    if request.target.strip() != "host" and (not colon or not kind.strip() or name.strip() in _NAMES_NOTHING):
        return f"target {one_line(request.target)!r}"
    if (plan.request.action, plan.request.target) != (request.action, request.target):
        return "the plan was made for another request"
    if not plan.touches:
        return "the plan does not say what it touches"
    for resource in plan.touches:
        if not resource.name.strip():
            return f"a {resource.kind.value} without a name"
        if resource.kind is ResourceKind.UNIT:
            unit = question.host.unit(resource.name)
            if unit is None or unit.load_state == "not-found":
                return f"systemd does not know {one_line(resource.name)}"
    return ""
