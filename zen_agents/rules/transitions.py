"""What happens to an incident besides its findings. Each function returns a new incident, or the same if nothing changed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from zen_agents.clock import Instant
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.reason import Reason
from zen_agents.rules.ladder import after_failure, rung_at
from zen_agents.rules.rule import Rule, Rung


def started(incident: Incident, action_id: str, rung: Rung, now: Instant, *, running_seconds: float = 0.0) -> Incident:
    """An action starts, or (called again) has just run: what was good before says nothing about its effect.

    `running_seconds` is how long the action itself may still run; settling and the deadline count from its end.
    """
    settle_until = now.steady + running_seconds + rung.settle_seconds
    return replace(
        incident,
        state=IncidentState.VERIFYING,
        changed_at=now,
        action=action_id,
        settle_until=settle_until,
        verify_deadline=settle_until + rung.verify_within_seconds,
        good_streak=0,
        good_since=None,
        relapsed=False,
        refused_since=None,
        refused_for=None,
    )


def attempt_failed(incident: Incident, rule: Rule, now: Instant, random: Random) -> Incident:
    """An attempt did not help: back off before the next one, or go to the next rung at once.

    What was seen until now counts for nothing: it may have had an effect, and have taken that back.
    """
    rung, attempts = after_failure(rule, incident.rung, incident.attempts)
    failed = rung_at(rule, incident.rung)
    wait = _wait(failed, attempts, random) if failed is not None and attempts else 0.0
    return replace(
        incident,
        state=IncidentState.OPEN,
        changed_at=now,
        rung=rung,
        attempts=attempts,
        next_attempt_at=now.steady + wait,
        action=None,
        settle_until=0.0,
        verify_deadline=0.0,
        good_streak=0,
        good_since=None,
        counted_at=max(now.steady, incident.counted_at or 0.0),
    )


def _wait(failed: Rung, attempts: int, random: Random) -> float:
    from zen_agents.rules.backoff import backoff_seconds  # noqa: PLC0415 - 0.4 MB for whoever has no action to take

    return backoff_seconds(failed, attempts, random)


def not_begun(incident: Incident, now: Instant) -> Incident:
    """Its action has certainly not begun: the incident is as it was before, and no attempt was made."""
    return replace(
        incident, state=IncidentState.OPEN, changed_at=now, action=None, settle_until=0.0, verify_deadline=0.0,
    )  # fmt: skip


def outcome_unknown(incident: Incident, now: Instant) -> Incident:
    """Nobody can tell whether the action worked: the incident is closed to the engine."""
    return replace(incident, state=IncidentState.OPEN, changed_at=now, action=None, outcome_unknown=True)


def refused(incident: Incident, reason: Reason, now: Instant) -> Incident:
    """Guards refuse; the patience counts from the first refusal in a row, whatever its reason."""
    if incident.refused_since is not None and incident.refused_for is reason:
        return incident
    since = now.steady if incident.refused_since is None else incident.refused_since
    return replace(incident, refused_since=since, refused_for=reason)


def asked(incident: Incident, now: Instant) -> Incident:
    """People were asked whether it may be done; the question's own end takes the place of the patience with guards."""
    if incident.refused_for is Reason.APPROVAL_PENDING and incident.escalated_for is Reason.APPROVAL_PENDING:
        return incident
    return replace(
        incident, refused_since=None, refused_for=Reason.APPROVAL_PENDING, escalated_for=Reason.APPROVAL_PENDING,
        escalated_at=now,
    )  # fmt: skip


def escalated(incident: Incident, reason: Reason, now: Instant) -> Incident:
    """People are told; the engine only watches until it clears."""
    return replace(
        incident,
        state=IncidentState.ESCALATED,
        changed_at=now,
        action=None,
        escalated_for=reason,
        escalated_at=now,
    )


def readmitted(incident: Incident, lifted: Reason, now: Instant) -> Incident:
    """A person lifted what guards refused for: where people were told for nothing else, it is the engine's again."""
    if incident.escalated_for is not Reason.REFUSED_TOO_LONG or incident.refused_for is not lifted:
        return incident
    if incident.state is not IncidentState.ESCALATED:
        return incident
    return replace(incident, state=IncidentState.OPEN, changed_at=now, refused_since=None, refused_for=None)


def released(incident: Incident, reason: Reason) -> Incident:
    """What guards refused for is over: the patience with them begins anew."""
    if incident.refused_for is not reason:
        return incident
    return replace(incident, refused_since=None, refused_for=None)


def acknowledged(incident: Incident, *, by: str, until: float | None, keep_acting: bool, now: Instant) -> Incident:
    """A person has it until the steady time `until` (None: until it is resolved); patience with guards begins anew."""
    return replace(
        incident, acknowledged_by=by, acknowledged_until=until, keep_acting=keep_acting, changed_at=now,
        refused_since=None, refused_for=None,
    )  # fmt: skip


def resolved(incident: Incident, by: str, now: Instant) -> Incident:
    """It is over, by `engine`, `itself` or a person's name; the action that mended it stays named."""
    return replace(
        incident,
        state=IncidentState.RESOLVED,
        changed_at=now,
        resolved_at=now,
        resolved_by=by,
        refused_since=None,
        refused_for=None,
    )
