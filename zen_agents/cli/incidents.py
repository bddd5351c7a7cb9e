"""What was wrong, from its first bad look to its end: list incidents, or show one as `why` does.

Examples:
  zen-agents incidents --open                       what is wrong now
  zen-agents incidents --since 7d
  zen-agents incidents show inc-4k2p                also: show @last, show @open
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.listing import add_span, id_of, matching, span, steady_of
from zen_agents.cli.looks import looks_under_way
from zen_agents.cli.render import next_steps, note, table
from zen_agents.cli.times import ago
from zen_agents.model.incident import Incident


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `incidents` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID", help="show one incident")
    parser.add_argument("--open", action="store_true", help="only those that are not over")
    add_span(parser)
    parser.add_argument("--target", metavar="NAME,...", help="only on these targets")


def run(call: Call) -> int:
    """List, or show one (as `why` does)."""
    store, wanted, id = call.store(), call.arguments, id_of(call.arguments.words)
    if id is not None:
        from zen_agents.cli import why  # noqa: PLC0415  shares nothing else with the list

        return why.explain_incident(call, store, id)
    now = call.now(store)
    since, until = span(call, now)
    found = store.live_incidents() if wanted.open else store.incidents(since=steady_of(since, now), limit=100_000)
    rows = [row for row in found if _shown(call, row) and row.began_at.wall < until and matching(row.target, wanted.target)]
    rows = rows[: wanted.limit]
    if call.machine:
        data(call, "incidents", [body(row) for row in rows])
        return 0
    if not rows:
        note("no incident is open" if wanted.open else f"no such incident since {wanted.since}")
        return 0
    heads = ("ID", "BEGAN", "LASTED", "RULE", "TARGET", "SEVERITY", "STATE", "FIXED BY", "DETAIL")
    looks = looks_under_way(call) if any(row.is_live for row in rows) else {}
    spare = ("SEVERITY", "TARGET", "FIXED BY", "LASTED")
    table(call, heads, [_row(call, row, now.steady, looks) for row in rows], spare=spare, whole=heads[:-1])
    next_steps(call, f"zen-agents why {rows[0].id}")
    return 0


def _shown(call: Call, row: Incident) -> bool:
    """Tell whether it counts: what has not lasted long enough is none yet; -v shows it."""
    return row.opened_at is not None or bool(call.arguments.verbose)


def _row(call: Call, row: Incident, now: float, looks: Mapping[str, str]) -> tuple[object, ...]:
    look = looks.get(row.target) if row.is_live else None
    end = row.resolved_at.steady if row.resolved_at else now
    return (
        row.id, call.when(row.began_at.wall), ago(end - row.began_at.steady), row.rule, row.target, row.severity.value,
        row.state.value, row.resolved_by or "-", f"{row.detail}; {look}" if look else row.detail,
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
