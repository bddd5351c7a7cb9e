"""What is to be done about an incident now: one pure function, its rules in order. The first that applies decides.

1. Settling: an action was just taken. Wait.
2. Cleared: good often and long enough, after an action through its bake window too. Resolve, whoever was told before;
   while it flaps and people know, wait instead, so that they are told once.
3. Verifying: good enough but still baking, or in time. Wait; a moment longer if it is only just not to be told. Past the
   deadline, or when it is gone for certain again, this attempt failed: FAIL_RUNG.
4. Acknowledged: a person has it. Wait, unless they said that the engine goes on.
5. Escalated: people were told. Wait.
6. The outcome of an action is unknown: it is closed to the engine. Escalate.
7. UNKNOWN: wait, and after the rule's patience escalate.
8. Not held: a mere suspicion, or good at this moment but not long enough. Wait.
9. Flapping: escalate.
10. No rung: the rule has no action, or every attempt was used up. Escalate.
11. Refused by guards for longer than the rule's patience: escalate.
12. Backoff: the next attempt is not due. Wait.
13. Else act.

UNKNOWN is in none of them a ground to act or a success. All ages are steady seconds.
"""

from __future__ import annotations

from collections.abc import Callable

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.action import ActionRequest
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.rules.ladder import after_failure, is_exhausted, rung_at
from zen_agents.rules.rule import Rule

#: Where only a further look can tell, it is worth deciding again after so many seconds.
LOOK_AGAIN_SECONDS = 1.0
#: UNKNOWN at the deadline is an unknown outcome only if it lasts this long: one look that timed out is no proof of anything.
UNKNOWN_GRACE_SECONDS = 10.0
#: How soon it is looked again whether the flapping has stopped.
CALM_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Case:
    incident: Incident
    rule: Rule
    now: Instant
    flapping: bool

    @property
    def is_unknown(self) -> bool:
        return self.incident.last_status is Status.UNKNOWN

    @property
    def is_verifying(self) -> bool:
        return self.incident.state is IncidentState.VERIFYING

    @property
    def is_good_often_enough(self) -> bool:
        """True when it was good n times in a row, and since when is known; it may be UNKNOWN at this moment."""
        incident = self.incident
        return incident.good_since is not None and incident.good_streak >= max(1, self.rule.hold.recover_after)

    @property
    def clears_at(self) -> float | None:
        """Steady time at which it may count as cleared if it stays good; None if it is not good now."""
        if self.incident.last_status is not Status.OK:
            return None
        if self.incident.good_since is None or not self.is_good_often_enough:
            return self.now.steady + LOOK_AGAIN_SECONDS
        rung = rung_at(self.rule, self.incident.rung) if self.is_verifying else None
        return self.incident.good_since + max(self.rule.hold.clear_for_seconds, rung.bake_seconds if rung else 0.0)

    def wait(self, reason: Reason, detail: str = "", *, again_at: float | None = None) -> Decision:
        times = [at for at in (again_at, self.clears_at) if at is not None]
        return Decision(DecisionKind.WAIT, reason, self.now, detail, again_at=min(times, default=None))

    def escalate(self, reason: Reason, detail: str = "") -> Decision:
        return Decision(DecisionKind.ESCALATE, reason, self.now, detail or self.incident.detail)


def decide(incident: Incident, rule: Rule, now: Instant, *, flapping: bool) -> Decision:
    """Return what is to be done; `again_at` says when it is worth asking again if no new finding comes before."""
    case = _Case(incident, rule, now, flapping)
    for judge in _IN_ORDER:
        decision = judge(case)
        if decision is not None:
            return decision
    return _act(case)


def alternatives(incident: Incident, rule: Rule) -> tuple[ActionRequest, ...]:
    """Return the requests of the incident's present rung, in order: the first that guards allow is taken."""
    rung = rung_at(rule, incident.rung)
    return tuple(_asked_for(incident, rule, request) for request in rung.alternatives) if rung is not None else ()


def _asked_for(incident: Incident, rule: Rule, request: ActionRequest) -> ActionRequest:
    return ActionRequest(
        request.action,
        request.target,
        request.params,
        request.requested_by,
        because=incident.detail or rule.summary,
        incident=incident.id,
        rule=rule.name,
        agent=rule.agent,
        override=request.override,
        attempt=incident.attempts + 1,
    )


def _settling(case: _Case) -> Decision | None:
    if case.is_verifying and case.now.steady < case.incident.settle_until:
        return Decision(DecisionKind.WAIT, Reason.SETTLING, case.now, again_at=case.incident.settle_until)
    return None


def _cleared(case: _Case) -> Decision | None:
    if case.clears_at is None or not case.is_good_often_enough or case.now.steady < case.clears_at:
        return None
    if case.flapping and case.incident.escalated_for is Reason.FLAPPING:
        again_at = case.now.steady + CALM_AGAIN_SECONDS
        return Decision(DecisionKind.WAIT, Reason.FLAPPING, case.now, "good, but not calm yet", again_at=again_at)
    return Decision(DecisionKind.RESOLVE, Reason.CLEARED, case.now, case.incident.detail)


def _verifying(case: _Case) -> Decision | None:
    if not case.is_verifying:
        return None
    if case.is_good_often_enough:
        patience = _patience_over_at(case)
        if patience is None or case.now.steady < patience:
            return case.wait(Reason.VERIFYING, "good, and has to stay so", again_at=patience)
    elif case.now.steady < case.incident.verify_deadline and not case.incident.relapsed:
        return case.wait(Reason.VERIFYING, again_at=case.incident.verify_deadline)
    elif (until := _only_just_unknown_until(case)) is not None and not case.incident.relapsed:
        return case.wait(Reason.VERIFYING, "it cannot be told at this moment", again_at=until)
    return Decision(DecisionKind.FAIL_RUNG, _what_follows(case), case.now, case.incident.detail)


def _with_a_person(case: _Case) -> Decision | None:
    incident = case.incident
    if incident.acknowledged_by is None or incident.keep_acting:
        return None
    if incident.acknowledged_until is not None and case.now.steady >= incident.acknowledged_until:
        return None
    return case.wait(Reason.ACKNOWLEDGED, incident.acknowledged_by, again_at=incident.acknowledged_until)


def _escalated(case: _Case) -> Decision | None:
    return case.wait(Reason.ESCALATED) if case.incident.state is IncidentState.ESCALATED else None


def _closed(case: _Case) -> Decision | None:
    return case.escalate(Reason.UNKNOWN_OUTCOME) if case.incident.outcome_unknown else None


def _unknown(case: _Case) -> Decision | None:
    if not case.is_unknown:
        return None
    over_at = _patience_over_at(case)
    if over_at is not None and case.now.steady >= over_at:
        return case.escalate(Reason.UNKNOWN_TOO_LONG)
    return case.wait(Reason.UNKNOWN_OBSERVATION, case.incident.detail, again_at=over_at)


def _not_held(case: _Case) -> Decision | None:
    if case.incident.state is IncidentState.SUSPECTED:
        return case.wait(Reason.NOT_HELD)
    if case.incident.last_status is not Status.PROBLEM:
        return case.wait(Reason.NOT_HELD, "good at this moment, but not for long enough to be over")
    return None


def _flapping(case: _Case) -> Decision | None:
    return case.escalate(Reason.FLAPPING) if case.flapping else None


def _no_rung(case: _Case) -> Decision | None:
    if not case.rule.ladder:
        return case.escalate(Reason.NO_ACTION)
    rung = rung_at(case.rule, case.incident.rung)
    if rung is None:
        return case.escalate(Reason.LADDER_EXHAUSTED)
    if not rung.alternatives:
        return case.escalate(Reason.NO_ACTION)
    return None


def _refused_too_long(case: _Case) -> Decision | None:
    since = case.incident.refused_since
    if since is None or case.now.steady - since < case.rule.patience_seconds:
        return None
    return case.escalate(Reason.REFUSED_TOO_LONG, case.incident.refused_for.sentence if case.incident.refused_for else "")


def _backoff(case: _Case) -> Decision | None:
    due = case.incident.next_attempt_at
    return case.wait(Reason.BACKOFF, again_at=due) if case.now.steady < due else None


def _act(case: _Case) -> Decision:
    incident = case.incident
    rung = case.rule.ladder[incident.rung]
    first = _asked_for(incident, case.rule, rung.alternatives[0])
    reason = Reason.RETRY if incident.attempts else Reason.NEXT_RUNG if incident.rung else Reason.HELD
    return Decision(DecisionKind.ACT, reason, case.now, f"attempt {incident.attempts + 1} of {rung.attempts}", first)


def _what_follows(case: _Case) -> Reason:
    rung, attempts = after_failure(case.rule, case.incident.rung, case.incident.attempts)
    if attempts:
        return Reason.RETRY
    return Reason.LADDER_EXHAUSTED if is_exhausted(case.rule, rung) else Reason.NEXT_RUNG


def _only_just_unknown_until(case: _Case) -> float | None:
    since, grace = case.incident.unknown_since, UNKNOWN_GRACE_SECONDS + case.rule.known_after_seconds
    until = None if since is None or not case.is_unknown else since + grace
    return until if until is not None and case.now.steady < until else None


def _patience_over_at(case: _Case) -> float | None:
    """Return when not being able to tell has lasted too long; None while it can be told."""
    since = case.incident.unknown_since
    return None if since is None else since + case.rule.unknown_patience_seconds


_IN_ORDER: tuple[Callable[[_Case], Decision | None], ...] = (
    _settling, _cleared, _verifying, _with_a_person, _escalated, _closed, _unknown, _not_held, _flapping, _no_rung,
    _refused_too_long, _backoff,
)  # fmt: skip
