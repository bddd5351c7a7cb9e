"""Hourly budgets, and how many actions may run at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zen_agents.dataclass import dataclass
from zen_agents.guards.base import Guard, Limit, Question
from zen_agents.guards.past_actions import first_in_need, frees_at, is_retry
from zen_agents.guards.set_by import built_in
from zen_agents.guards.wording import span
from zen_agents.model.action import Budget
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.store import Ran

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class _Spent:
    """One limit and how far it is used up; with `excess` it refuses."""

    said: str
    excess: bool
    #: What sets it.
    key: str
    until: float | None = None


class RateLimit(Guard):
    """Refuses when a budget of the hour is spent; 0 means never. A retry spends a token like a first attempt."""

    name = "rate_limit"
    why = "An engine that repairs without end is itself the fault."
    overridable = True

    def assess(self, question: Question) -> Answer:
        limits: tuple[Callable[[Question], _Spent | None], ...] = (_never, _budget, _target, _action, _at_once)
        found = [spent for limit in limits if (spent := limit(question)) is not None]
        for spent in found:
            if spent.excess:
                origin = _origins(question, [spent])
                return self.deny(Reason.RATE_LIMIT, spent.said, origin=origin, until=spent.until)
        return self.allow(", ".join(spent.said for spent in found), origin=_origins(question, found))


def _origins(question: Question, limits: Sequence[_Spent]) -> str:
    """Return where each limit stands in the configuration, and what would set the others."""
    written = [origin for limit in limits if (origin := question.policy.origin(limit.key))]
    others = [limit.key for limit in limits if not question.policy.origin(limit.key)]
    return ", ".join((*dict.fromkeys(written), *((built_in(*others),) if others else ())))


def _never(question: Question) -> _Spent | None:
    """`max_auto_repairs_per_hour: 0` is "never act", for housekeeping as well."""
    if question.policy.repairs.most > 0:
        return None
    return _Spent("0 repairs an hour means never", True, "limits.max_auto_repairs_per_hour")


def _budget(question: Question) -> _Spent | None:
    policy, now, budget = question.policy, question.now.steady, question.plan.budget
    if budget is Budget.CONTAINMENT:
        # What its action may do an hour is all that it may: whoever attacks must not spend what repairs need.
        return None
    is_repair = budget is Budget.REPAIR
    limit = policy.repairs if is_repair else policy.housekeeping
    key = f"limits.{'max_auto_repairs_per_hour' if is_repair else 'max_housekeeping_per_hour'}"
    since = now - limit.within_seconds
    spent = question.store.spent(budget, since)
    said = f"{spent} of {limit.most} {'repairs' if is_repair else 'housekeeping'} {_per(limit)}"
    if spent >= limit.most:
        ran = question.store.ran(since=since, most=limit.most, budget=budget)
        return _Spent(said, True, key, frees_at(ran, limit.within_seconds) if limit.most > 0 else None)
    if spent == limit.most - 1 and is_retry(question.request, question.incident):
        own = question.incident.key if question.incident else None
        waiting = first_in_need(question.situation.incidents, own, policy, now)
        if waiting is not None:
            return _Spent(f"{said}; the last is kept for the first attempt of {waiting.id}", True, key)
    return _Spent(said, False, key)


def _target(question: Question) -> _Spent:
    limit = question.policy.per_target
    since = question.now.steady - limit.within_seconds
    ran = question.store.ran_on(question.request.target, since=since, most=limit.most)
    return _counted("for this target", ran, limit, "limits.per_target_per_hour")


def _action(question: Question) -> _Spent | None:
    action, policy = question.request.action, question.policy
    allowance = policy.allowed.get(action)
    if allowance is None or allowance.max_per_hour is None:
        return None
    limit = Limit(allowance.max_per_hour, _HOUR)
    ran = question.store.ran(since=question.now.steady - _HOUR, most=limit.most, action=action)
    return _counted(action, ran, limit, f"actions.allow.{action}.max_per_hour")


def _counted(what: str, ran: Ran, limit: Limit, key: str) -> _Spent:
    said = f"{ran.times} of {limit.most} {what}"
    return _Spent(said, ran.times >= limit.most, key, frees_at(ran, limit.within_seconds) if limit.most > 0 else None)


def _at_once(question: Question) -> _Spent:
    running, most = question.situation.running, question.policy.max_concurrent
    return _Spent(f"{running} of {most} running", running >= most, "limits.max_concurrent")


def _per(limit: Limit) -> str:
    return "this hour" if limit.within_seconds == _HOUR else f"within {span(limit.within_seconds)}"
