"""Rows to nouns and back, for `SqliteStore`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from zen_agents.clock import Instant
from zen_agents.model.action import Budget, Intent, OutcomeKind
from zen_agents.model.approval import Approval, ApprovalAnswer, ApprovalState
from zen_agents.model.entry import ChainedEntry, Entry, EntryKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.observation import Observation, Status
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import Redaction
from zen_agents.model.severity import Severity
from zen_agents.ports.store import ActionRow, OutboxRow
from zen_agents.store.ledger import canonical, clean_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: Instant) -> tuple[int, int]:
    """Return an instant as whole microseconds: wall, steady."""
    wall = instant.wall - _EPOCH
    # Not `wall // _MICROSECOND`: that takes as long as all the rest of an entry's columns.
    return (wall.days * 86400 + wall.seconds) * 1_000_000 + wall.microseconds, round(instant.steady * 1e6)


def instant_of_microseconds(wall_us: int, steady_us: int) -> Instant:
    """Return the instant that `microseconds` gave."""
    return Instant(_EPOCH + wall_us * _MICROSECOND, steady_us / 1e6)


def instant_of(steady: float, wall: float) -> Instant:
    """Return the instant of two columns."""
    return Instant(datetime.fromtimestamp(wall, UTC), steady)


def optional_instant(steady: float | None, wall: float | None) -> Instant | None:
    """Return the instant of two columns that may be empty."""
    return None if steady is None or wall is None else instant_of(steady, wall)


def entry_of(row: Sequence[Any], genesis: bytes) -> ChainedEntry:
    """Return a ledger entry; its body is empty if retention dropped it."""
    seq, kind, id, wall_us, steady_us, actor, incident, action, body, hash, prev_hash = row
    at = instant_of_microseconds(wall_us, steady_us)
    entry = Entry(EntryKind(kind), id, at, actor, incident, action, json.loads(body) if body is not None else {})
    return ChainedEntry(seq, entry, (prev_hash or genesis).hex(), hash.hex())


_PLAIN_INCIDENT = (
    "id", "key", "agent", "rule", "target", "value", "bad_streak", "good_streak", "good_since", "unknown_since", "rung",
    "attempts", "next_attempt_at", "action", "settle_until", "verify_deadline", "refused_since", "acknowledged_by",
    "acknowledged_until", "resolved_by",
)  # fmt: skip
_MOMENTS = ("began", "opened", "changed", "escalated", "resolved")
_plain_of = attrgetter(*_PLAIN_INCIDENT)
_moments_of = attrgetter(*(f"{name}_at" for name in _MOMENTS))

#: The columns of every statement that reads incidents, in its order.
INCIDENT_COLUMNS = (
    "id", "key", "agent", "rule", "target", "severity", "state", "began_at", "began_wall", "opened_at", "opened_wall",
    "changed_at", "changed_wall", "last_status", "detail", "value", "fingerprint", "bad_streak", "good_streak", "good_since",
    "unknown_since", "rung", "attempts", "next_attempt_at", "action", "settle_until", "verify_deadline", "outcome_unknown",
    "refused_since", "refused_for", "escalated_for", "escalated_at", "escalated_wall", "acknowledged_by",
    "acknowledged_until", "keep_acting", "resolved_at", "resolved_wall", "resolved_by",
)  # fmt: skip


def incident_columns(incident: Incident, redaction: Redaction) -> dict[str, Any]:
    """Return an incident's columns."""
    columns: dict[str, Any] = dict(zip(_PLAIN_INCIDENT, _plain_of(incident), strict=True))
    for name, instant in zip(_MOMENTS, _moments_of(incident), strict=True):
        columns[f"{name}_at"] = None if instant is None else instant.steady
        columns[f"{name}_wall"] = None if instant is None else instant.wall.timestamp()
    return columns | {
        "severity": incident.severity.value,
        "state": incident.state.value,
        "last_status": incident.last_status.value,
        "detail": clean_text(redaction.text(incident.detail)),
        "fingerprint": clean_text(incident.fingerprint),
        "outcome_unknown": int(incident.outcome_unknown),
        "keep_acting": int(incident.keep_acting),
        "refused_for": _word(incident.refused_for),
        "escalated_for": _word(incident.escalated_for),
    }


def incident_of(row: Sequence[Any]) -> Incident:
    """Return the incident of a row of `INCIDENT_COLUMNS`."""
    columns = dict(zip(INCIDENT_COLUMNS, row, strict=True))
    moments = {f"{name}_at": optional_instant(columns[f"{name}_at"], columns[f"{name}_wall"]) for name in _MOMENTS}
    return Incident(
        **{name: columns[name] for name in _PLAIN_INCIDENT},
        **moments,  # type: ignore[arg-type]
        severity=Severity(columns["severity"]),
        state=IncidentState(columns["state"]),
        last_status=Status(columns["last_status"]),
        detail=columns["detail"],
        fingerprint=columns["fingerprint"],
        outcome_unknown=bool(columns["outcome_unknown"]),
        keep_acting=bool(columns["keep_acting"]),
        refused_for=_reason(columns["refused_for"]),
        escalated_for=_reason(columns["escalated_for"]),
    )


def _word(reason: Reason | None) -> str | None:
    return None if reason is None else reason.value


def _reason(word: str | None) -> Reason | None:
    return None if word is None else Reason(word)


def plan_of(intent: Intent) -> dict[str, Any]:
    """Return all that is known of an intent's plan as plain JSON values."""
    plan, request = intent.plan, intent.plan.request
    return {
        "params": dict(request.params),
        "override": sorted(request.override),
        "attempt": request.attempt,
        "steps": list(plan.steps),
        "touches": [{"kind": touched.kind.value, "name": touched.name} for touched in plan.touches],
        "fingerprint": plan.fingerprint,
        "risk": plan.risk.value,
        "reversible": plan.reversible.value,
        "expected_seconds": plan.expected_seconds,
        "timeout_seconds": plan.timeout_seconds,
        "detail": dict(plan.detail),
        "warning": plan.warning,
        "digest": plan.digest,
        "verified_by": intent.verified_by,
        "approval": intent.approval,
    }


#: What undoing and adopting an action read of its plan, and what holds no text from outside.
_NEEDED_OF_PLAN = ("params", "detail", "touches", "fingerprint")
_OURS_OF_PLAN = ("override", "attempt", "risk", "reversible", "digest", "verified_by", "approval")


def intent_columns(intent: Intent, redaction: Redaction, *, spends: bool) -> dict[str, Any]:
    """Return the columns of a fresh action."""
    request = intent.plan.request
    return {
        "id": intent.id,
        "action": request.action,
        "target": clean_text(request.target),
        "agent": request.agent,
        "rule": request.rule or "",
        "incident": request.incident,
        "requested_by": clean_text(request.requested_by.name),
        "requested_uid": request.requested_by.uid,
        "because": clean_text(redaction.text(request.because)),
        "budget": intent.plan.budget.value,
        "spends": int(spends),
        "reserved_at": intent.reserved_at.steady,
        "reserved_wall": intent.reserved_at.wall.timestamp(),
        "leased_until": intent.leased_until,
        "plan": canonical(redaction.record(plan_of(intent), needed=_NEEDED_OF_PLAN, ours=_OURS_OF_PLAN)),
    }


def action_of(row: Sequence[Any]) -> ActionRow:
    """Return the action of a row."""
    (id, action, target, agent, rule, incident, requested_by, because, budget, reserved_at, reserved_wall, leased_until,
     kind, ended_at, ended_wall, took_seconds, plan, effect) = row  # fmt: skip
    return ActionRow(
        id=id,
        action=action,
        target=target,
        agent=agent,
        rule=rule,
        incident=incident,
        requested_by=requested_by,
        because=because,
        budget=Budget(budget),
        reserved_at=instant_of(reserved_at, reserved_wall),
        leased_until=leased_until,
        kind=OutcomeKind(kind),
        ended_at=optional_instant(ended_at, ended_wall),
        took_seconds=took_seconds,
        plan=json.loads(plan),
        effect=json.loads(effect),
    )


_PLAIN_APPROVAL = (
    "id", "digest", "action", "target", "agent", "rule", "incident", "because", "needed", "expires_at", "ended_why",
    "used_by",
)  # fmt: skip
#: The columns of every statement that reads approvals, in its order.
APPROVAL_COLUMNS = (
    "id", "digest", "action", "target", "agent", "rule", "incident", "requested_by", "requested_uid", "because", "needed",
    "state", "asked_at", "asked_wall", "expires_at", "plan", "answers", "ended_why", "used_by",
)  # fmt: skip


def approval_columns(approval: Approval, redaction: Redaction) -> dict[str, Any]:
    """Return an approval's columns."""
    columns: dict[str, Any] = {name: getattr(approval, name) for name in _PLAIN_APPROVAL}
    return columns | {
        "target": clean_text(approval.target),
        "because": clean_text(redaction.text(approval.because)),
        "ended_why": clean_text(redaction.text(approval.ended_why)),
        "requested_by": clean_text(approval.requested_by.name),
        "requested_uid": approval.requested_by.uid,
        "state": approval.state.value,
        "asked_at": approval.asked_at.steady,
        "asked_wall": approval.asked_at.wall.timestamp(),
        "plan": canonical(redaction.record(dict(approval.plan), needed=_NEEDED_OF_PLAN, ours=_OURS_OF_PLAN)),
        "answers": canonical([{**asdict(each), "reason": redaction.text(each.reason)} for each in approval.answers]),
    }


def approval_of(row: Sequence[Any]) -> Approval:
    """Return the approval of a row of `APPROVAL_COLUMNS`."""
    columns = dict(zip(APPROVAL_COLUMNS, row, strict=True))
    return Approval(
        **{name: columns[name] for name in _PLAIN_APPROVAL},
        requested_by=Principal(columns["requested_by"], columns["requested_uid"]),
        state=ApprovalState(columns["state"]),
        asked_at=instant_of(columns["asked_at"], columns["asked_wall"]),
        plan=json.loads(columns["plan"]),
        answers=tuple(ApprovalAnswer(**answer) for answer in json.loads(columns["answers"])),
    )


def observation_columns(series: int, seen: Observation) -> tuple[Any, ...]:
    """Return an observation's columns in the order of `record_observation`."""
    return (
        series, seen.status.value, seen.at.steady, seen.at.wall.timestamp(), seen.value, clean_text(seen.detail),
        clean_text(seen.fingerprint), canonical(dict(seen.facts)) if seen.facts else "",
    )  # fmt: skip


def observation_of(name: str, target: str, row: Sequence[Any]) -> Observation:
    """Return the observation of a row."""
    status, at, wall, value, detail, fingerprint, facts = row
    known: Mapping[str, str] = json.loads(facts) if facts else {}
    return Observation(name, target, Status(status), instant_of(at, wall), value, detail, fingerprint, known)


def message_json(message: Message) -> str:
    """Return a message as JSON."""
    columns = {field.name: getattr(message, field.name) for field in fields(message)}
    return canonical(columns | {"at": message.at.steady, "wall": message.at.wall.timestamp()})


def message_of(text: str) -> Message:
    """Return the message of its JSON."""
    columns = json.loads(text)
    at = instant_of(columns.pop("at"), columns.pop("wall"))
    columns["kind"], columns["severity"] = MessageKind(columns["kind"]), Severity(columns["severity"])
    return Message(**columns, at=at)


def outbox_row_of(row: Sequence[Any]) -> OutboxRow:
    """Return the outbox row of a row."""
    id, message, channel, attempts, not_before, state, last_error = row
    return OutboxRow(id, message_of(message), channel, attempts, not_before, state, last_error)
