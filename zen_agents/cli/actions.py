"""List what was done, or show one action: actions [show ID] [--since 1h] [--outcome failed,unknown]."""

from __future__ import annotations

import argparse
import json
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.listing import add_span, find, matching, names, since_steady
from zen_agents.cli.render import ago, clean, data, next_steps, table
from zen_agents.ports.store import ActionRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `actions` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID", help="show one action")
    add_span(parser)
    for name in ("outcome", "agent", "target", "by", "incident"):
        parser.add_argument(f"--{name}", metavar="NAME", help=f"only these ({name})")


def run(call: Call) -> int:
    """List, or show one."""
    store, words = call.store(), call.arguments.words
    if words:
        return _show(call, store.action(find(store, words[-1], "act")))  # type: ignore[arg-type]  # find names a row
    wanted = call.arguments
    rows = [
        row
        for row in store.actions(since=since_steady(call, store), limit=wanted.limit)
        if matching(row.kind.value, wanted.outcome)
        and matching(row.agent, wanted.agent)
        and matching(row.target, wanted.target)
        and matching(row.requested_by, wanted.by)
        and (wanted.incident is None or (row.incident or "").startswith(wanted.incident))
    ]
    if names(call, (row.id for row in rows)):
        return 0
    if call.machine:
        data(call, "actions", [body(row) for row in rows])
        return 0
    heads = ("ID", "WHEN", "TARGET", "ACTION", "BY", "OUTCOME", "TOOK", "WHY")
    table(call, heads, [_row(call, row) for row in rows])
    if rows:
        next_steps(call, f"zen-agents actions show {rows[0].id}", f"zen-agents why {rows[0].id}")
    return 0


def _row(call: Call, row: ActionRow) -> tuple[object, ...]:
    why = f"{row.incident or ''} {row.because}".strip()[:60]
    word = row.kind.value.upper() if row.kind.value in ("failed", "unknown", "timed_out") else row.kind.value
    took = ago(row.took_seconds) if row.took_seconds >= 1 else f"{row.took_seconds * 1000:.0f} ms"
    return row.id, call.clock(row.reserved_at.wall), row.target, row.action, row.requested_by, word, took, why


def body(row: ActionRow) -> dict[str, Any]:
    """Return one action as plain JSON."""
    return {
        "id": row.id,
        "action": row.action,
        "target": row.target,
        "agent": row.agent,
        "rule": row.rule,
        "incident": row.incident,
        "by": row.requested_by,
        "because": row.because,
        "outcome": row.kind.value,
        "reserved_at": row.reserved_at.wall.isoformat(),
        "ended_at": row.ended_at.wall.isoformat() if row.ended_at else None,
        "took_seconds": row.took_seconds,
        "plan": dict(row.plan),
        "effect": dict(row.effect),
    }


def _show(call: Call, row: ActionRow) -> int:
    if call.machine:
        data(call, "action", body(row))
        return 0
    print(f"{row.id}  {row.action} {row.target} by {row.requested_by}: {row.kind.value.upper()}")
    print(f"  started   {call.clock(row.reserved_at.wall)}, took {row.took_seconds:.2f} s")
    print(f"  why       {clean(row.because) or '-'} {row.incident or ''}")
    for step in row.plan.get("steps", ()):
        print(f"  step      {clean(step)}")
    print(f"  risk      {row.plan.get('risk', '-')}, reversible {row.plan.get('reversible', '-')}")
    for name in ("detail", "before", "after", "exit_code"):
        if row.effect.get(name) not in (None, ""):
            print(f"  {name:9} {clean(row.effect[name])}")
    for line in str(row.effect.get("output", "")).splitlines()[-50:]:
        print(f"  | {clean(line)}")
    if call.arguments.verbose:
        print(json.dumps(dict(row.plan), indent=2, default=str))
    next_steps(call, f"zen-agents why {row.incident or row.id}")
    return 0
