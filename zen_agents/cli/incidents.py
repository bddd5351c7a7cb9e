"""List incidents, or show one: incidents [show ID] [--open] [--since 7d]."""

from __future__ import annotations

import argparse
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.listing import add_span, names, since_steady
from zen_agents.cli.render import ago, clean, data, next_steps, table
from zen_agents.clock import SystemClock
from zen_agents.model.incident import Incident


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `incidents` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID", help="show one incident")
    parser.add_argument("--open", action="store_true", help="only those that are not over")
    add_span(parser)


def run(call: Call) -> int:
    """List, or show one (as `why` does)."""
    if call.arguments.words:
        from zen_agents.cli import why  # noqa: PLC0415  shares nothing else with the list

        return why.explain_incident(call, call.store(), call.arguments.words[-1])
    store = call.store()
    rows = store.incidents(since=since_steady(call, store), limit=call.arguments.limit)
    rows = [row for row in rows if row.is_live or not call.arguments.open]
    if names(call, (row.id for row in rows)):
        return 0
    if call.machine:
        data(call, "incidents", [body(row) for row in rows])
        return 0
    now = SystemClock(store.anchor()).now().steady
    heads = ("ID", "BEGAN", "LASTED", "RULE", "TARGET", "SEVERITY", "STATE", "FIXED BY", "DETAIL")
    table(call, heads, [_row(call, row, now) for row in rows])
    if rows:
        next_steps(call, f"zen-agents why {rows[0].id}")
    return 0


def _row(call: Call, row: Incident, now: float) -> tuple[object, ...]:
    end = row.resolved_at.steady if row.resolved_at else now
    return (
        row.id, call.clock(row.began_at.wall), ago(end - row.began_at.steady), row.rule, row.target, row.severity.value,
        row.state.value, row.resolved_by or "-", clean(row.detail)[:50],
    )  # fmt: skip


def body(row: Incident) -> dict[str, Any]:
    """Return one incident as plain JSON."""
    return {
        "id": row.id,
        "rule": row.rule,
        "target": row.target,
        "agent": row.agent,
        "severity": row.severity.value,
        "state": row.state.value,
        "began_at": row.began_at.wall.isoformat(),
        "opened_at": row.opened_at.wall.isoformat() if row.opened_at else None,
        "resolved_at": row.resolved_at.wall.isoformat() if row.resolved_at else None,
        "resolved_by": row.resolved_by,
        "detail": row.detail,
        "value": row.value,
        "attempts": row.attempts,
        "rung": row.rung,
        "escalated_for": row.escalated_for.value if row.escalated_for else None,
        "acknowledged_by": row.acknowledged_by,
    }
