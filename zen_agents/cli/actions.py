"""What was done to this host: list it, or show one action with its plan, its output and how it was verified.

Examples:
  zen-agents actions --since yesterday
  zen-agents actions --outcome failed,unknown --target web
  zen-agents actions show act-7m3x                  also: show @last
  zen-agents actions --json=id,outcome,because      for a program; -f goes on showing them, until Ctrl-C
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.events import follow_entries
from zen_agents.cli.listing import add_span, find, id_of, matching, one_of, span, steady_of
from zen_agents.cli.render import next_steps, note, say, table
from zen_agents.cli.times import took
from zen_agents.errors import UsageError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.model.redaction import shown
from zen_agents.model.way_back import way_back
from zen_agents.ports.store import ActionRow

#: Lines of what a command printed that are shown.
OUTPUT_LINES = 50
#: Actions that are read to find what was asked for.
_MOST_READ = 100_000
#: Outcomes that need a look are written large.
_LOUD = frozenset({OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.UNKNOWN})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `actions` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID", help="show one action")
    add_span(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on showing them, until Ctrl-C")
    parser.add_argument("--outcome", metavar="WORD,...", help=f"only these: {', '.join(OutcomeKind)}")
    parser.add_argument("--agent", metavar="NAME,...", help="only of these agents")
    parser.add_argument("--target", metavar="NAME,...", help="only on these targets")
    parser.add_argument("--by", metavar="NAME,...", help="only by these: engine, or a person's account")
    parser.add_argument("--incident", metavar="ID", help="only for this incident")


def run(call: Call) -> int:
    """List, or show one."""
    if call.arguments.follow:
        return follow_entries(call, [EntryKind.INTENT, EntryKind.OUTCOME])
    store, id = call.store(), id_of(call.arguments.words)
    if id is not None:
        return show(call, action(store, find(store, id, "act")))
    rows = _wanted(call, store)
    if call.machine:
        data(call, "actions", [body(row) for row in rows])
        return 0
    if not rows:
        note(f"no such action since {call.arguments.since}")
        return 0
    heads = ("ID", "WHEN", "TARGET", "ACTION", "BY", "OUTCOME", "TOOK", "WHY")
    table(call, heads, [_row(call, row) for row in rows], spare=("TOOK", "BY", "WHY"), whole=heads[:-1])
    next_steps(call, f"zen-agents actions show {rows[0].id}", f"zen-agents why {rows[0].id}")
    return 0


def action(store: SqliteStore, id: str) -> ActionRow:
    """Return one action; UsageError if retention has dropped it."""
    row = store.action(id)
    if row is None:
        raise UsageError(f"{id} is not kept any more")
    return row


def _wanted(call: Call, store: SqliteStore) -> list[ActionRow]:
    wanted, now = call.arguments, call.now(store)
    since, until = span(call, now)
    outcomes = one_of(wanted.outcome, [kind.value for kind in OutcomeKind], "outcome")
    rows = store.actions(since=steady_of(since, now), limit=_MOST_READ if _filters(wanted) else wanted.limit)
    return [
        row
        for row in rows
        if (not outcomes or row.kind.value in outcomes)
        and row.reserved_at.wall < until
        and matching(row.agent, wanted.agent)
        and matching(row.target, wanted.target)
        and matching(row.requested_by, wanted.by)
        and (wanted.incident is None or (row.incident or "").startswith(wanted.incident))
    ][: wanted.limit]


def _filters(wanted: argparse.Namespace) -> bool:
    return wanted.until != "now" or any((wanted.outcome, wanted.agent, wanted.target, wanted.by, wanted.incident))


def word_of(row: ActionRow) -> str:
    """Return an outcome's word, large if it needs a look."""
    return row.kind.value.upper() if row.kind in _LOUD else row.kind.value


def _row(call: Call, row: ActionRow) -> tuple[object, ...]:
    why = f"{row.incident or ''} {row.because}".strip()
    lasted = took(row.took_seconds) if row.ended_at else "-"
    return row.id, call.when(row.reserved_at.wall), row.target, row.action, row.requested_by, word_of(row), lasted, why


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
        "plan": shown(row.plan),
        "effect": shown(row.effect),
    }


def show(call: Call, row: ActionRow) -> int:
    """Print one action with all that is known of it."""
    if call.machine:
        data(call, "action", body(row))
        return 0
    say(call, f"{row.id}  {row.action} {row.target} by {row.requested_by}: {row.kind.value.upper()}")
    ended = f", took {took(row.took_seconds)}" if row.ended_at else ", has not ended"
    say(call, f"{'started':9} {call.clock(row.reserved_at.wall)}{ended}", indent=2)
    say(call, f"{'why':9} {' '.join(filter(None, (row.because, row.incident))) or '-'}", indent=2, hang=10)
    for step in row.plan.get("steps", ()):
        say(call, f"{'step':9} {step}", indent=2, hang=10)
    say(call, f"{'risk':9} {row.plan.get('risk', '-')}, reversible {way_back(row.plan.get('reversible', '-'))}", indent=2)
    show_effect(call, row.effect, indent=2)
    if call.arguments.verbose:
        for line in json.dumps(shown(row.plan), indent=2, default=str).splitlines():
            say(call, line, indent=2)
    undo = (f"zen-agents undo {row.id}",) if row.effect.get("undo") and row.kind is not OutcomeKind.UNDONE else ()
    next_steps(call, f"zen-agents why {row.incident or row.id}", *undo)
    return 0


def show_effect(call: Call, effect: Any, *, indent: int, lines: int = OUTPUT_LINES) -> None:
    """Print what an action says it did, and the end of what its command printed."""
    for name, label in (("warning", "warning"), ("detail", "detail"), ("before", "before"), ("after", "after"),
                        ("exit_code", "exit code")):  # fmt: skip
        if effect.get(name) not in (None, ""):
            # What a command said on several lines is one here; as it was, it is in `output`.
            say(call, f"{label:9} {' '.join(str(effect[name]).split())}", indent=indent, hang=10)
    printed = str(effect.get("output") or "").splitlines()
    if len(printed) > lines:
        print(f"{' ' * indent}| ... {len(printed) - lines} lines before these")
    for line in printed[-lines:]:
        say(call, f"| {line}", indent=indent, hang=2)
