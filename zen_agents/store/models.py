"""The schema's single source. Commands, console and migrations use these models; the engine never imports this module.

Moments stand in two columns: `X_at` (or a bare name that says so) is seconds on the host's steady timeline and is what
limits and ages are computed from, `X_wall` is Unix time in seconds for people. Columns named `plan`, `effect`, `message`,
`facts`, `answers` and `body` hold JSON.
`schema.sql` is generated from here (`python -m zen_agents.workers.migrate --schema`).
"""

from __future__ import annotations

from sqlalchemy import DDL, Column, Float, ForeignKey, Index, Integer, LargeBinary, Text, event, text
from sqlmodel import Field, SQLModel


class FactRow(SQLModel, table=True):
    """A small named fact about this state."""

    __tablename__ = "facts"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    value: str = Field(sa_column=Column(Text, nullable=False))


class LedgerRow(SQLModel, table=True):
    """One entry of the hash chain; `store.ledger` says what is hashed."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index("ix_ledger_incident", "incident", "seq", sqlite_where=text("incident IS NOT NULL")),
        Index("ix_ledger_action", "action", "seq", sqlite_where=text("action IS NOT NULL")),
        Index("ix_ledger_decision", "id", sqlite_where=text("kind = 'decision'")),
        Index("ix_ledger_pruned", "seq", sqlite_where=text("id = 'ledger_pruned'")),
    )

    seq: int = Field(sa_column=Column(Integer, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    id: str = Field(sa_column=Column(Text, nullable=False))
    #: Microseconds, so that the hashed text is the same everywhere.
    wall_us: int = Field(sa_column=Column(Integer, nullable=False))
    steady_us: int = Field(sa_column=Column(Integer, nullable=False))
    actor: str = Field(sa_column=Column(Text, nullable=False))
    incident: str | None = Field(sa_column=Column(Text))
    action: str | None = Field(sa_column=Column(Text))
    #: None once retention dropped it.
    body: str | None = Field(sa_column=Column(Text))
    body_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class IncidentRow(SQLModel, table=True):
    """One incident, with all that `decide` needs."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("ix_incidents_changed", "changed_at"),
        Index("ix_incidents_key", "key", "began_at"),
        Index("ix_incidents_live", "began_at", sqlite_where=text("state <> 'resolved'")),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False))
    agent: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    severity: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    began_at: float = Field(sa_column=Column(Float, nullable=False))
    began_wall: float = Field(sa_column=Column(Float, nullable=False))
    opened_at: float | None = Field(sa_column=Column(Float))
    opened_wall: float | None = Field(sa_column=Column(Float))
    changed_at: float = Field(sa_column=Column(Float, nullable=False))
    changed_wall: float = Field(sa_column=Column(Float, nullable=False))
    last_status: str = Field(sa_column=Column(Text, nullable=False))
    detail: str = Field(sa_column=Column(Text, nullable=False))
    value: float | None = Field(sa_column=Column(Float))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    bad_streak: int = Field(sa_column=Column(Integer, nullable=False))
    good_streak: int = Field(sa_column=Column(Integer, nullable=False))
    good_since: float | None = Field(sa_column=Column(Float))
    unknown_since: float | None = Field(sa_column=Column(Float))
    rung: int = Field(sa_column=Column(Integer, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False))
    next_attempt_at: float = Field(sa_column=Column(Float, nullable=False))
    action: str | None = Field(sa_column=Column(Text))
    settle_until: float = Field(sa_column=Column(Float, nullable=False))
    verify_deadline: float = Field(sa_column=Column(Float, nullable=False))
    outcome_unknown: int = Field(sa_column=Column(Integer, nullable=False))
    refused_since: float | None = Field(sa_column=Column(Float))
    refused_for: str | None = Field(sa_column=Column(Text))
    escalated_for: str | None = Field(sa_column=Column(Text))
    escalated_at: float | None = Field(sa_column=Column(Float))
    escalated_wall: float | None = Field(sa_column=Column(Float))
    acknowledged_by: str | None = Field(sa_column=Column(Text))
    acknowledged_until: float | None = Field(sa_column=Column(Float))
    keep_acting: int = Field(sa_column=Column(Integer, nullable=False))
    resolved_at: float | None = Field(sa_column=Column(Float))
    resolved_wall: float | None = Field(sa_column=Column(Float))
    resolved_by: str = Field(sa_column=Column(Text, nullable=False))


class ActionRecord(SQLModel, table=True):
    """One intent, and its outcome when there is one."""

    __tablename__ = "actions"
    __table_args__ = (
        Index("ix_actions_reserved", "reserved_at"),
        Index("ix_actions_target", "target", "reserved_at"),
        Index("ix_actions_incident", "incident", "reserved_at", sqlite_where=text("incident IS NOT NULL")),
        Index("ix_actions_unfinished", "reserved_at", "kind", sqlite_where=text("kind IN ('running', 'verifying')")),
        # Limits are counted through this one; a person's act is not in it.
        Index("ix_actions_spent", "budget", "reserved_at", sqlite_where=text("spends = 1")),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    action: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    agent: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    incident: str | None = Field(sa_column=Column(Text))
    requested_by: str = Field(sa_column=Column(Text, nullable=False))
    #: Login uid of the person, None for the engine.
    requested_uid: int | None = Field(sa_column=Column(Integer))
    because: str = Field(sa_column=Column(Text, nullable=False))
    budget: str = Field(sa_column=Column(Text, nullable=False))
    #: 1 if it spent a token of its budget.
    spends: int = Field(sa_column=Column(Integer, nullable=False))
    reserved_at: float = Field(sa_column=Column(Float, nullable=False))
    reserved_wall: float = Field(sa_column=Column(Float, nullable=False))
    leased_until: float = Field(sa_column=Column(Float, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    ended_at: float | None = Field(sa_column=Column(Float))
    ended_wall: float | None = Field(sa_column=Column(Float))
    took_seconds: float = Field(sa_column=Column(Float, nullable=False))
    plan: str = Field(sa_column=Column(Text, nullable=False))
    effect: str = Field(sa_column=Column(Text, nullable=False))


class ApprovalRow(SQLModel, table=True):
    """One question to people; at most one is open for an action on a target."""

    __tablename__ = "approvals"
    __table_args__ = (
        Index("ix_approvals_asked", "asked_at"),
        Index("ux_approvals_open", "action", "target", unique=True, sqlite_where=text("state IN ('pending', 'approved')")),
    )

    id: str = Field(sa_column=Column(Text, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False))
    action: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))
    agent: str = Field(sa_column=Column(Text, nullable=False))
    rule: str = Field(sa_column=Column(Text, nullable=False))
    incident: str | None = Field(sa_column=Column(Text))
    requested_by: str = Field(sa_column=Column(Text, nullable=False))
    #: Login uid of the person, None for the engine.
    requested_uid: int | None = Field(sa_column=Column(Integer))
    because: str = Field(sa_column=Column(Text, nullable=False))
    #: How many different people have to say yes.
    needed: int = Field(sa_column=Column(Integer, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    asked_at: float = Field(sa_column=Column(Float, nullable=False))
    asked_wall: float = Field(sa_column=Column(Float, nullable=False))
    expires_at: float = Field(sa_column=Column(Float, nullable=False))
    plan: str = Field(sa_column=Column(Text, nullable=False))
    #: JSON: who said what.
    answers: str = Field(sa_column=Column(Text, nullable=False))
    ended_why: str = Field(sa_column=Column(Text, nullable=False))
    #: The action that spent it.
    used_by: str | None = Field(sa_column=Column(Text))


class ApprovalTokenRow(SQLModel, table=True):
    """A signed token that was used: it is worth nothing a second time."""

    __tablename__ = "approval_tokens"

    #: SHA-256 of the token, hex.
    token: str = Field(sa_column=Column(Text, primary_key=True))
    approval: str = Field(sa_column=Column(Text, nullable=False))
    used_at: float = Field(sa_column=Column(Float, nullable=False))


class LeaseRow(SQLModel, table=True):
    """Who holds a target."""

    __tablename__ = "leases"

    target: str = Field(sa_column=Column(Text, primary_key=True))
    action: str = Field(sa_column=Column(Text, nullable=False))
    until: float = Field(sa_column=Column(Float, nullable=False))


class BreakerRecord(SQLModel, table=True):
    """The durable part of one circuit breaker."""

    __tablename__ = "breakers"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    state: str = Field(sa_column=Column(Text, nullable=False))
    failures: int = Field(sa_column=Column(Integer, nullable=False))
    successes: int = Field(sa_column=Column(Integer, nullable=False))
    opened_at: float | None = Field(sa_column=Column(Float))
    #: JSON list of steady times.
    failed_at: str = Field(sa_column=Column(Text, nullable=False))


class BrakeRow(SQLModel, table=True):
    """A pause, safe mode, or hold that is set."""

    __tablename__ = "brakes"

    kind: str = Field(sa_column=Column(Text, primary_key=True))
    scope: str = Field(sa_column=Column(Text, primary_key=True))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    set_by: str = Field(sa_column=Column(Text, nullable=False))
    since_at: float = Field(sa_column=Column(Float, nullable=False))
    since_wall: float = Field(sa_column=Column(Float, nullable=False))
    until: float | None = Field(sa_column=Column(Float))


class AgentRow(SQLModel, table=True):
    """The state an agent is in, and since when."""

    __tablename__ = "agents"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    state: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    changed_at: float = Field(sa_column=Column(Float, nullable=False))
    changed_wall: float = Field(sa_column=Column(Float, nullable=False))


class UsageRow(SQLModel, table=True):
    """What one tick or action cost."""

    __tablename__ = "usage"
    __table_args__ = (Index("ix_usage_seen", "seen_at"),)

    id: int | None = Field(sa_column=Column(Integer, primary_key=True))
    agent: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    seen_at: float = Field(sa_column=Column(Float, nullable=False))
    seen_wall: float = Field(sa_column=Column(Float, nullable=False))
    wall_seconds: float = Field(sa_column=Column(Float, nullable=False))
    cpu_seconds: float = Field(sa_column=Column(Float, nullable=False))
    resident_bytes: int = Field(sa_column=Column(Integer, nullable=False))
    checks: int = Field(sa_column=Column(Integer, nullable=False))


class SeriesRow(SQLModel, table=True):
    """An observation name on a target; observations refer to it by number to stay small."""

    __tablename__ = "series"
    __table_args__ = (Index("ux_series_name_target", "name", "target", unique=True),)

    id: int | None = Field(sa_column=Column(Integer, primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    target: str = Field(sa_column=Column(Text, nullable=False))


class ObservationRow(SQLModel, table=True):
    """One observation. Ordered by time alone, so that a tick's worth of them touches one page, not one page each."""

    __tablename__ = "observations"
    __table_args__ = (Index("ix_observations_seen", "seen_at"),)

    id: int | None = Field(sa_column=Column(Integer, primary_key=True))
    series: int = Field(sa_column=Column(Integer, ForeignKey("series.id"), nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    seen_at: float = Field(sa_column=Column(Float, nullable=False))
    seen_wall: float = Field(sa_column=Column(Float, nullable=False))
    value: float | None = Field(sa_column=Column(Float))
    detail: str = Field(sa_column=Column(Text, nullable=False))
    fingerprint: str = Field(sa_column=Column(Text, nullable=False))
    #: JSON object, "" if there are none.
    facts: str = Field(sa_column=Column(Text, nullable=False))


class OutboxRecord(SQLModel, table=True):
    """One message on its way to one channel."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ux_outbox_message_channel", "message_id", "channel", unique=True),
        Index("ix_outbox_pending", "not_before", sqlite_where=text("state = 'pending'")),
        Index("ix_outbox_sent", "channel", "done_at", sqlite_where=text("state = 'sent'")),
    )

    id: int | None = Field(sa_column=Column(Integer, primary_key=True))
    message_id: str = Field(sa_column=Column(Text, nullable=False))
    channel: str = Field(sa_column=Column(Text, nullable=False))
    message: str = Field(sa_column=Column(Text, nullable=False))
    #: Steady seconds of the message itself; retention goes by it.
    made_at: float = Field(sa_column=Column(Float, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False))
    not_before: float = Field(sa_column=Column(Float, nullable=False))
    #: pending, sent, gave_up.
    state: str = Field(sa_column=Column(Text, nullable=False))
    last_error: str = Field(sa_column=Column(Text, nullable=False))
    #: When it was sent.
    done_at: float | None = Field(sa_column=Column(Float))
    done_wall: float | None = Field(sa_column=Column(Float))


class PageRow(SQLModel, table=True):
    """A page that was triggered on PagerDuty and not resolved there."""

    __tablename__ = "pages"

    dedup_key: str = Field(sa_column=Column(Text, primary_key=True))
    #: "" for a page about the engine itself.
    incident: str = Field(sa_column=Column(Text, nullable=False))


class CheckMemoryRow(SQLModel, table=True):
    """What a check must remember over a restart: where it stopped reading, what it has counted."""

    __tablename__ = "check_memories"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    agent: str = Field(sa_column=Column(Text, nullable=False))
    memory: str = Field(sa_column=Column(Text, nullable=False))


#: Guards against accidents, not against root: only `verify` finds a forgery.
LEDGER_TRIGGERS: tuple[str, ...] = (
    """CREATE TRIGGER ledger_keeps_entries BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END""",
    """CREATE TRIGGER ledger_drops_only_bodies BEFORE UPDATE ON ledger
WHEN NOT (
    NEW.body IS NULL AND OLD.id <> 'ledger_pruned'
    AND NEW.seq IS OLD.seq AND NEW.kind IS OLD.kind AND NEW.id IS OLD.id AND NEW.wall_us IS OLD.wall_us
    AND NEW.steady_us IS OLD.steady_us AND NEW.actor IS OLD.actor AND NEW.incident IS OLD.incident
    AND NEW.action IS OLD.action AND NEW.body_hash IS OLD.body_hash AND NEW.hash IS OLD.hash
)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END""",
)

for _trigger in LEDGER_TRIGGERS:
    event.listen(SQLModel.metadata.tables["ledger"], "after_create", DDL(_trigger))  # type: ignore[no-untyped-call]
