"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TRIGGERS = (
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


def upgrade() -> None:
    """Make all tables."""
    _actions()
    _agents()
    _brakes()
    _breakers()
    _facts()
    _incidents()
    _leases()
    _ledger()
    _outbox()
    _pages()
    _series()
    _usage()
    _observations()
    for trigger in _TRIGGERS:
        op.execute(trigger)


def _actions() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_uid", sa.Integer(), nullable=True),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("budget", sa.Text(), nullable=False),
        sa.Column("spends", sa.Integer(), nullable=False),
        sa.Column("reserved_at", sa.Float(), nullable=False),
        sa.Column("reserved_wall", sa.Float(), nullable=False),
        sa.Column("leased_until", sa.Float(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("ended_wall", sa.Float(), nullable=True),
        sa.Column("took_seconds", sa.Float(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_actions_incident",
        "actions",
        ["incident", "reserved_at"],
        unique=False,
        sqlite_where=sa.text("incident IS NOT NULL"),
    )
    op.create_index("ix_actions_reserved", "actions", ["reserved_at"], unique=False)
    op.create_index(
        "ix_actions_spent", "actions", ["budget", "reserved_at"], unique=False, sqlite_where=sa.text("spends = 1")
    )
    op.create_index("ix_actions_target", "actions", ["target", "reserved_at"], unique=False)
    op.create_index(
        "ix_actions_unfinished",
        "actions",
        ["reserved_at", "kind"],
        unique=False,
        sqlite_where=sa.text("kind IN ('running', 'verifying')"),
    )


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("changed_wall", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _brakes() -> None:
    op.create_table(
        "brakes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("since_at", sa.Float(), nullable=False),
        sa.Column("since_wall", sa.Float(), nullable=False),
        sa.Column("until", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "scope"),
    )


def _breakers() -> None:
    op.create_table(
        "breakers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.Column("failed_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("began_at", sa.Float(), nullable=False),
        sa.Column("began_wall", sa.Float(), nullable=False),
        sa.Column("opened_at", sa.Float(), nullable=True),
        sa.Column("opened_wall", sa.Float(), nullable=True),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("changed_wall", sa.Float(), nullable=False),
        sa.Column("last_status", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("bad_streak", sa.Integer(), nullable=False),
        sa.Column("good_streak", sa.Integer(), nullable=False),
        sa.Column("good_since", sa.Float(), nullable=True),
        sa.Column("unknown_since", sa.Float(), nullable=True),
        sa.Column("rung", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.Float(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("settle_until", sa.Float(), nullable=False),
        sa.Column("verify_deadline", sa.Float(), nullable=False),
        sa.Column("outcome_unknown", sa.Integer(), nullable=False),
        sa.Column("refused_since", sa.Float(), nullable=True),
        sa.Column("refused_for", sa.Text(), nullable=True),
        sa.Column("escalated_for", sa.Text(), nullable=True),
        sa.Column("escalated_at", sa.Float(), nullable=True),
        sa.Column("escalated_wall", sa.Float(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_until", sa.Float(), nullable=True),
        sa.Column("keep_acting", sa.Integer(), nullable=False),
        sa.Column("resolved_at", sa.Float(), nullable=True),
        sa.Column("resolved_wall", sa.Float(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incidents_changed", "incidents", ["changed_at"], unique=False)
    op.create_index("ix_incidents_key", "incidents", ["key", "began_at"], unique=False)
    op.create_index(
        "ix_incidents_live", "incidents", ["began_at"], unique=False, sqlite_where=sa.text("state <> 'resolved'")
    )


def _leases() -> None:
    op.create_table(
        "leases",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("target"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("wall_us", sa.Integer(), nullable=False),
        sa.Column("steady_us", sa.Integer(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(
        "ix_ledger_action", "ledger", ["action", "seq"], unique=False, sqlite_where=sa.text("action IS NOT NULL")
    )
    op.create_index("ix_ledger_decision", "ledger", ["id"], unique=False, sqlite_where=sa.text("kind = 'decision'"))
    op.create_index(
        "ix_ledger_incident", "ledger", ["incident", "seq"], unique=False, sqlite_where=sa.text("incident IS NOT NULL")
    )
    op.create_index("ix_ledger_pruned", "ledger", ["seq"], unique=False, sqlite_where=sa.text("id = 'ledger_pruned'"))


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.Float(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.Column("done_wall", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_outbox_pending", "outbox", ["not_before"], unique=False, sqlite_where=sa.text("state = 'pending'"))
    op.create_index("ix_outbox_sent", "outbox", ["channel", "done_at"], unique=False, sqlite_where=sa.text("state = 'sent'"))
    op.create_index("ux_outbox_message_channel", "outbox", ["message_id", "channel"], unique=True)


def _pages() -> None:
    op.create_table(
        "pages",
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("dedup_key"),
    )


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ux_series_name_target", "series", ["name", "target"], unique=True)


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("seen_wall", sa.Float(), nullable=False),
        sa.Column("wall_seconds", sa.Float(), nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.Column("resident_bytes", sa.Integer(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_usage_seen", "usage", ["seen_at"], unique=False)


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.Column("seen_wall", sa.Float(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series"],
            ["series.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_observations_seen", "observations", ["seen_at"], unique=False)
    # ### end Alembic commands ###
