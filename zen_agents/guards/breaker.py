"""The circuit breaker of an action on a target; the engine counts, this only reads."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.past_actions import failures_within
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

_STATES = frozenset({"closed", "open", "half-open"})


class Breaker(Guard):
    """Refuses while the breaker is open; after `retry_after` one trial may show whether it can close."""

    name = "breaker"
    why = "What failed several times here will fail again; people are told instead."
    overridable = True

    def assess(self, question: Question) -> Answer:
        request, limit, now = question.request, question.policy.failures, question.now.steady
        origin = question.policy.origin("breakers.failures")
        row = question.store.breaker(f"{request.action}|{request.target}")
        state = "closed" if row is None else row.state
        if state not in _STATES:
            raise ValueError(f"unknown breaker state {state!r}")
        count = failures_within(row, limit.within_seconds, now)
        value = f"{state} ({count} of {limit.most} failures in {span(limit.within_seconds)})"
        if row is None or state != "open":
            return self.allow(value, origin=origin)
        if row.opened_at is None:
            return self.deny(Reason.BREAKER_OPEN, f"{value}, since nobody knows when", origin=origin)
        until = row.opened_at + limit.retry_after_seconds
        if now < until:
            return self.deny(Reason.BREAKER_OPEN, f"{value}, {span(until - now)} left", origin=origin, until=until)
        return self.allow(f"{value}, one trial is due", origin=origin)
