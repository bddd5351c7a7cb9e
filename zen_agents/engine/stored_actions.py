"""What an action that is in the store stands for, as far as judging it and taking it back need."""

from __future__ import annotations

from zen_agents.model.action import ActionRequest, Budget, Effect, Intent, Plan, Reversible, Risk
from zen_agents.ports.store import ActionRow


def intent_of(row: ActionRow) -> Intent:
    """Return the intent that a stored action row stands for, as far as judging it needs."""
    request = ActionRequest(
        row.action, row.target, dict(row.plan.get("params") or {}), because=row.because, incident=row.incident,
        rule=row.rule, agent=row.agent,
    )  # fmt: skip
    steps, detail = tuple(row.plan.get("steps", ())), dict(row.plan.get("detail") or {})
    plan = Plan(request, steps, (), "", Risk.LOW, Reversible.NO, Budget(row.budget), detail=detail)
    return Intent(row.id, plan, row.reserved_at, row.leased_until)


def effect_of(row: ActionRow | None) -> Effect:
    """Return what a stored action said that it did; one that never said anything did not succeed."""
    told = row.effect if row is not None else {}
    return Effect(
        ok=bool(told.get("ok")),
        detail=str(told.get("detail", "")),
        before=str(told.get("before", "")),
        after=str(told.get("after", "")),
        exit_code=told.get("exit_code"),
        output=str(told.get("output", "")),
        undo=dict(told.get("undo") or {}),
        said="ok" in told and bool(told.get("said", True)),
    )
