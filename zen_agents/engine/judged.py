"""A request as it was judged, and how plans and judgements are shown and written."""

from __future__ import annotations

from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.engine.journal import answer_body
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A request with its plan, None if none could be made, and what the guards said."""

    request: ActionRequest
    plan: Plan | None
    verdict: Verdict


def plan_body(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain JSON, as it is shown and written."""
    return {
        "action": plan.request.action,
        "target": plan.request.target,
        "steps": list(plan.steps),
        "touches": [f"{resource.kind.value}:{resource.name}" for resource in plan.touches],
        "risk": plan.risk.value,
        "reversible": plan.reversible.value,
        "expected_seconds": plan.expected_seconds,
        "warning": plan.warning,
        "asks": list(plan.asks),
        "digest": plan.digest,
    }


def judged_body(judged: Judged) -> dict[str, Any]:
    """Return a judgement as plain JSON."""
    return {
        "action": judged.request.action,
        "target": judged.request.target,
        "agent": judged.request.agent,
        "ruling": judged.verdict.ruling.name.lower(),
        "reason": judged.verdict.reason.value if judged.verdict.reason else None,
        "plan": plan_body(judged.plan) if judged.plan else None,
        "guards": [answer_body(answer) for answer in judged.verdict.answers],
    }
