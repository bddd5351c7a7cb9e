"""Which brakes that somebody set in the store hold for a question."""

from __future__ import annotations

from zen_agents.guards.base import Question
from zen_agents.guards.wording import one_line, span
from zen_agents.ports.store import Brake


def holding(question: Question, *kinds: str) -> Brake | None:
    """Return the first brake of these kinds that holds now and covers the question; None if none does.

    A brake whose scope nobody understands covers everything.
    """
    for brake in question.store.brakes():
        if brake.kind in kinds and _lasts(brake, question.now.steady) and _covers(brake.scope, question):
            return brake
    return None


def describe(brake: Brake, now: float) -> str:
    """Return the scope, who set it, why, and how long it still holds."""
    left = "until lifted" if brake.until is None else f"{span(brake.until - now)} left"
    reason = f": {one_line(brake.reason)}" if brake.reason else ""
    return f"{one_line(brake.scope)} by {one_line(brake.by)}{reason} ({left})"


def _lasts(brake: Brake, now: float) -> bool:
    return brake.until is None or brake.until > now


def _covers(scope: str, question: Question) -> bool:
    request, incident = question.request, question.incident
    named = {
        "agent": request.agent or (incident.agent if incident else None),
        "rule": request.rule or (incident.rule if incident else None),
        "target": request.target,
    }
    kind, _, name = scope.partition(":")
    return kind not in named or not name or named[kind] == name
