"""Everything that happened, oldest first: events [--since 1h] [-f]."""

from __future__ import annotations

import argparse
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.decisions import sentence
from zen_agents.cli.listing import add_span, follow, since_wall
from zen_agents.cli.render import clean, data
from zen_agents.clock import SystemClock
from zen_agents.model.entry import ChainedEntry, EntryKind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `events` takes."""
    add_span(parser, default="1h")
    parser.add_argument("-f", "--follow", action="store_true", help="go on showing what happens, until Ctrl-C")


def run(call: Call) -> int:
    """Print the ledger's entries as one line each."""
    store = call.store()
    since = since_wall(call.arguments.since, SystemClock().now().wall)
    newest = store.entries(limit=call.arguments.limit, newest_first=True)
    rows = [row for row in reversed(newest) if row.entry.at.wall >= since]
    if call.machine:
        data(call, "events", [_body(row) for row in rows])
        return 0
    last = max((row.seq for row in newest), default=0)
    for row in rows:
        print(line(call, row), flush=True)
    if not call.arguments.follow:
        return 0

    def show() -> None:
        nonlocal last
        for row in store.entries(since=last + 1, limit=1000):
            print(line(call, row), flush=True)
            last = row.seq

    follow(show)
    return 0


def _body(row: ChainedEntry) -> dict[str, Any]:
    entry = row.entry
    return {
        "record": row.seq, "at": entry.at.wall.isoformat(), "kind": entry.kind.value, "id": entry.id, "actor": entry.actor,
        "incident": entry.incident, "action": entry.action, "body": dict(entry.body),
    }  # fmt: skip


def line(call: Call, row: ChainedEntry) -> str:
    """Return one entry as one line for people."""
    entry = row.entry
    return f"{call.clock(entry.at.wall)}  {entry.kind.value:9} {entry.id:14} {_words(row)}"


def _words(row: ChainedEntry) -> str:
    facts, kind = row.entry.body, row.entry.kind
    if kind is EntryKind.DECISION:
        what = " ".join(filter(None, (str(facts.get("outcome")), str(facts.get("action", "")), str(facts.get("target")))))
        why = facts.get("detail") or sentence(str(facts.get("reason")))
        return clean(f"{what}: {facts.get('reason')} - {why}")
    if kind is EntryKind.INTENT:
        return clean(f"{facts.get('action')} {facts.get('target')} by {facts.get('by', row.entry.actor)}")
    if kind is EntryKind.OUTCOME:
        effect = facts.get("effect") or {}
        return clean(f"{facts.get('kind') or facts.get('outcome')}: {effect.get('detail', '')}")
    if kind is EntryKind.ALERT:
        return clean(f"{facts.get('kind')}: {facts.get('summary')}")
    rest = ", ".join(f"{name}={value}" for name, value in facts.items() if value not in (None, "", [], {}))
    return clean(f"{row.entry.actor}: {rest}")
