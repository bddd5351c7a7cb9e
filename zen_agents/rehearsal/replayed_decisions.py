"""What is decided in a replay, by the engine's own rules and guards, and what came of it as far as the recording says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.parts import Parts
from zen_agents.errors import RefusedError
from zen_agents.model.action import Budget, Effect, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.ids import ACTION, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling
from zen_agents.rehearsal.past_plan import asked_then
from zen_agents.rules import transitions
from zen_agents.rules.decide import decide
from zen_agents.rules.hysteresis import is_flapping
from zen_agents.rules.rule import Rule

#: What was refused, or asked, is asked again after so many seconds.
ASK_AGAIN = 30.0
#: No two steps are closer than this (seconds).
SHORTEST_STEP = 1.0
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision that mattered, replayed or recorded."""

    at: Instant
    rule: str
    target: str
    #: act, skip, ask, alert.
    outcome: str
    reason: str
    action: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """One incident of the replay."""

    rule: str
    target: str
    began: datetime
    #: None if it was not over at the end.
    ended: datetime | None
    #: Actions that would have been taken.
    actions: int
    #: True if people would have been told.
    told: bool


class Decisions:
    """Decides about a replay's incidents; `decided` and `episodes` are what came of it.

    Nothing before `tell_from` (steady) is told. `failed_then` knows after how many seconds the same action on a target
    failed by itself at about that time (steady); None: it did not.
    """

    def __init__(self, parts: Parts, tell_from: float, failed_then: Callable[[str, str, float], float | None]) -> None:
        self._parts, self._tell_from, self._failed_then = parts, tell_from, failed_then
        self.decided: list[Decided] = []
        self.episodes: list[Episode] = []
        self._intents: dict[str, Intent] = {}
        #: By incident: actions so far, and what was told last of it.
        self._acted: dict[str, int] = {}
        self._gist: dict[str, tuple[object, ...]] = {}

    def decide(self, incident: Incident, rule: Rule, now: Instant) -> float:
        """Decide, and let it have come to what the recording says; return when to decide again (steady)."""
        opened = self._parts.book.openings(incident.key, now.steady - rule.flapping.within_seconds)
        decision = decide(incident, rule, now, flapping=is_flapping(opened, rule.flapping, now))
        return self._follow(incident, rule, decision, now)

    def _follow(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> float:
        """Do what was decided, but to the host; return when to decide again (steady)."""
        if decision.kind is DecisionKind.ACT:
            return self._act(incident, rule, now)
        if decision.kind is DecisionKind.RESOLVE:
            self.finish(incident, OutcomeKind.VERIFIED, now)
            self.end(incident, now)
            self._parts.book.put(transitions.resolved(incident, "replay", now))
            return NEVER
        if decision.kind is DecisionKind.FAIL_RUNG:
            return self._failed(incident, rule, now)
        if decision.kind is DecisionKind.ESCALATE:
            self._tell(incident, "alert", decision.reason, now)
            self._parts.book.put(transitions.escalated(incident, decision.reason, now))
            return now.steady
        return decision.again_at if decision.again_at is not None else NEVER

    def _act(self, incident: Incident, rule: Rule, now: Instant) -> float:
        asked = asked_then(self._parts, rule, incident, now)
        if asked is None:
            return now.steady + ASK_AGAIN
        plan, verdict = asked
        if verdict.ruling is Ruling.ALLOW:
            return self._start(incident, rule, plan, now)
        reason = verdict.reason or Reason.GUARD_ERROR
        if verdict.ruling is Ruling.HOLD:
            self._tell(incident, "ask", reason, now, plan.request.action)
            self._parts.book.put(transitions.asked(incident, now))
            return now.steady + ASK_AGAIN
        return self._refused(incident, rule, reason, plan, now)

    def _start(self, incident: Incident, rule: Rule, plan: Plan, now: Instant) -> float:
        rung = rule.ladder[incident.rung]
        leased_until = now.steady + rung.settle_seconds + rung.verify_within_seconds
        intent = Intent(new_id(ACTION), plan, now, leased_until, rule.key)
        limit = self._parts.policy.repairs if plan.budget is Budget.REPAIR else self._parts.policy.housekeeping
        try:
            self._parts.store.reserve(intent, hourly_limit=limit.most)
        except RefusedError as error:
            return self._refused(incident, rule, Reason(error.reason or Reason.GUARD_ERROR), plan, now)
        self._intents[intent.id] = intent
        self._acted[incident.id] = self._acted.get(incident.id, 0) + 1
        self._tell(incident, "act", Reason.RETRY if incident.attempts else Reason.HELD, now, plan.request.action)
        started = transitions.started(incident, intent.id, rung, now)
        self._parts.book.put(started)
        failed_after = self._failed_then(plan.request.action, plan.request.target, now.steady)
        if failed_after is not None and now.steady + failed_after < started.verify_deadline:
            # It did not even run to its end then; nobody waited for its effect.
            self.finish(started, OutcomeKind.FAILED, now)
            failed = transitions.attempt_failed(started, rule, now.after(failed_after), self._parts.random)
            self._parts.book.put(failed)
            return failed.next_attempt_at
        return now.steady + rung.settle_seconds

    def _refused(self, incident: Incident, rule: Rule, reason: Reason, plan: Plan, now: Instant) -> float:
        self._tell(incident, "skip", reason, now, plan.request.action)
        refused = transitions.refused(incident, reason, now)
        self._parts.book.put(refused)
        since = now.steady if refused.refused_since is None else refused.refused_since
        return max(min(now.steady + ASK_AGAIN, since + rule.patience_seconds), now.steady + SHORTEST_STEP)

    def _failed(self, incident: Incident, rule: Rule, now: Instant) -> float:
        if incident.last_status is Status.UNKNOWN:
            self.finish(incident, OutcomeKind.UNKNOWN, now)
            self._parts.book.put(transitions.outcome_unknown(incident, now))
        else:
            self.finish(incident, OutcomeKind.FAILED, now)
            self._parts.book.put(transitions.attempt_failed(incident, rule, now, self._parts.random))
        return now.steady

    def finish(self, incident: Incident, kind: OutcomeKind, now: Instant) -> None:
        """Let an incident's action have come to that, if one was begun."""
        intent = self._intents.pop(incident.action or "", None)
        if intent is None:
            return
        request = intent.plan.request
        self._parts.store.finish(Outcome(intent.id, kind, now, 0.0, Effect(kind is OutcomeKind.VERIFIED, "replayed")))
        if kind is OutcomeKind.VERIFIED:
            self._parts.breakers.succeeded(request.action, request.target)
        elif kind is OutcomeKind.FAILED:
            self._parts.breakers.failed(request.action, request.target)

    # -- what came of it ----------------------------------------------------------------------------------------------
    def _tell(self, incident: Incident, outcome: str, reason: Reason, now: Instant, action: str = "") -> None:
        """Remember a decision, if it is news as the ledger counts news."""
        gist = (outcome, reason, incident.attempts, incident.rung)
        if self._gist.get(incident.id) == gist or now.steady < self._tell_from:
            return
        self._gist[incident.id] = gist
        self.decided.append(Decided(now, incident.rule, incident.target, outcome, reason.value, action))

    def end(self, incident: Incident, now: Instant | None) -> None:
        """Remember an incident that is over, or, without a moment, one of which nothing more is known."""
        if incident.opened_at is None or (now is not None and now.steady < self._tell_from):
            return
        acted = self._acted.pop(incident.id, 0)
        ended, told = now.wall if now else None, incident.escalated_for is not None
        self.episodes.append(Episode(incident.rule, incident.target, incident.began_at.wall, ended, acted, told))
