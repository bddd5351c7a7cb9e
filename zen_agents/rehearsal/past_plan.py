"""The plan of an action that a replay asks for, and what the guards say: of the host of then only the recording is known."""

from __future__ import annotations

from zen_agents import catalog
from zen_agents.clock import Instant
from zen_agents.engine.parts import Parts
from zen_agents.errors import ZenError
from zen_agents.first_use import later
from zen_agents.guards.base import Question
from zen_agents.guards.pipeline import assess
from zen_agents.model.action import ActionRequest, Plan, Resource, ResourceKind
from zen_agents.model.incident import Incident
from zen_agents.model.verdict import Ruling, Verdict
from zen_agents.rules.decide import alternatives
from zen_agents.rules.rule import Rule

_ACTIONS = later(lambda name: catalog.ACTIONS[name](), catalog.ACTIONS)


class _NoStop:
    """The emergency stop is a person's act: a replay asks what the configuration would have done."""

    def read(self) -> str | None:
        return None


def asked_then(parts: Parts, rule: Rule, incident: Incident, now: Instant) -> tuple[Plan, Verdict] | None:
    """Return the plan and verdict for the first alternative that is not refused, else for the first; None without any."""
    first: tuple[Plan, Verdict] | None = None
    for request in alternatives(incident, rule):
        plan = _plan(parts, request)
        verdict = _verdict(parts, rule, incident, plan, now)
        if verdict.ruling is not Ruling.DENY:
            return plan, verdict
        first = first or (plan, verdict)
    return first


def _plan(parts: Parts, request: ActionRequest) -> Plan:
    """Return the action's own plan, or where that needs a host to look at, one that touches the target alone."""
    action = _ACTIONS[request.action]
    try:
        return action.plan(request, parts.host.look())
    except (ZenError, ValueError):
        return action.planned(
            request, steps=("what exactly was to be done then is not known",),
            touches=(Resource(ResourceKind.SERVICE, request.target.partition(":")[2] or request.target),), fingerprint="",
        )  # fmt: skip


def _verdict(parts: Parts, rule: Rule, incident: Incident, plan: Plan, now: Instant) -> Verdict:
    situation = parts.book.situation(parts.policy, now, actionable=parts.actionable, running=0, foreign="")
    question = Question(
        request=plan.request, plan=plan, incident=incident, depends_on=rule.depends_on,
        needs_confirmation=rule.needs_confirmation, now=now, policy=parts.policy, situation=situation, store=parts.store,
        host=parts.host.look(), stop=_NoStop(),
    )  # fmt: skip
    return assess(question, catalog.GUARDS)
