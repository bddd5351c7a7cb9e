"""Everything that happened, oldest first: the ledger, an entry a line.

Examples:
  zen-agents events --since 1h
  zen-agents events -f                              goes on showing what happens, until Ctrl-C
  zen-agents events --kind human,alert --since 7d   only these
  zen-agents events -f -o jsonl                     for a program
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.cli.answers import sentence
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data, one_line
from zen_agents.cli.listing import add_span, follow, one_of, recent, span
from zen_agents.cli.render import note, say
from zen_agents.cli.times import ago, took
from zen_agents.errors import UsageError
from zen_agents.model.entry import ChainedEntry, EntryKind

#: What a line for people leaves out.
_FOR_PROGRAMS = frozenset({"uid", "hash", "signature", "digest"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `events` takes."""
    add_span(parser, default="1h")
    parser.add_argument("-f", "--follow", action="store_true", help="go on showing what happens, until Ctrl-C")
    parser.add_argument("--kind", metavar="KIND,...", help=f"only these: {', '.join(EntryKind)}")


def run(call: Call) -> int:
    """Print the ledger's entries as one line each."""
    kinds = [EntryKind(word) for word in sorted(one_of(call.arguments.kind, EntryKind, "kind"))]
    if call.arguments.follow:
        return follow_entries(call, kinds)
    store = call.store()
    since, until = span(call, call.now(store))
    newest = recent(store, lambda row: row.entry.at.wall < until, kinds=kinds, since=since, limit=call.arguments.limit)
    rows = newest[::-1]
    if call.machine:
        data(call, "events", [body(row) for row in rows])
        return 0
    for row in rows:
        show(call, row)
    if not rows:
        note(f"nothing happened since {call.arguments.since}")
    return 0


def follow_entries(call: Call, kinds: Sequence[EntryKind]) -> int:
    """Show the entries of these kinds since --since, then each as it is written, until Ctrl-C."""
    if call.output not in ("table", "wide", "jsonl"):
        raise UsageError(f"what is followed has no end, so it cannot be -o {call.output}; use -o jsonl")
    store = call.store()
    since, _ = span(call, call.now(store))
    before = recent(store, lambda _: True, kinds=kinds, since=since, limit=call.arguments.limit)
    last = max((row.seq for row in store.entries(limit=1, newest_first=True)), default=0)

    def put(rows: Sequence[ChainedEntry]) -> None:
        for row in rows:
            if call.machine:
                print(one_line(body(row)), flush=True)
            else:
                show(call, row)
        # A pipe gets each line when it is there.
        print(end="", flush=True)

    def more() -> None:
        nonlocal last
        rows = store.entries(since=last, kinds=kinds, limit=1000)
        put(rows)
        last = max((row.seq for row in rows), default=last)

    put([row for row in reversed(before) if row.seq <= last])
    follow(more)
    return 0


def body(row: ChainedEntry) -> dict[str, Any]:
    """Return one entry as plain JSON."""
    entry = row.entry
    return {
        "record": row.seq, "at": entry.at.wall.isoformat(), "kind": entry.kind.value, "id": entry.id, "actor": entry.actor,
        "incident": entry.incident, "action": entry.action, "body": dict(entry.body),
    }  # fmt: skip


def show(call: Call, row: ChainedEntry) -> None:
    """Print one entry as one line for people."""
    entry = row.entry
    say(call, f"{call.clock(entry.at.wall)}  {entry.kind.value:9} {entry.id:12} {words(row)}", hang=10)


def words(row: ChainedEntry) -> str:
    """Return what an entry says, in words."""
    facts, kind = row.entry.body, row.entry.kind
    if not facts:
        return "(its body was dropped by retention)"
    if kind is EntryKind.DECISION:
        what = " ".join(filter(None, (str(facts.get("outcome")), str(facts.get("action", "")), str(facts.get("target")))))
        why = facts.get("detail") or facts.get("seen") or sentence(facts.get("reason"))
        return f"{what}: {facts.get('reason')} - {why}"
    if kind is EntryKind.INTENT:
        return f"{facts.get('action')} {facts.get('target')} by {facts.get('requested_by', row.entry.actor)}"
    if kind is EntryKind.OUTCOME:
        detail = facts.get("detail") or ""
        return f"{facts.get('action')} {facts.get('target')}: {facts.get('outcome')}{_took(facts)}{detail and ' - '}{detail}"
    if kind is EntryKind.ALERT:
        return f"{facts.get('kind')}: {facts.get('summary')}"
    return _noted(row)


def _noted(row: ChainedEntry) -> str:
    """Return what a person did, or the engine about itself."""
    facts = row.entry.body
    if row.entry.id == "approval_asked":
        what = f"{facts.get('approval')} asks for {facts.get('action')} {facts.get('target')}"
        return f"{what}, {facts.get('agreed')} of {facts.get('needed')} agreed: {facts.get('because')}"
    rest = ", ".join(_said(name, value) for name, value in facts.items() if _telling(name, value))
    return f"{row.entry.actor}: {rest}" if rest else row.entry.actor


def _took(facts: Any) -> str:
    seconds = facts.get("took_seconds")
    return f" after {took(float(seconds))}" if seconds is not None else ""


def _telling(name: str, value: object) -> bool:
    """Tell whether a fact is for people in one line: plans and guards in full are for `why`, `show` and programs."""
    nested = isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(each, Mapping) for each in value))
    return name not in _FOR_PROGRAMS and value not in (None, "", [], {}) and not nested


def _said(name: str, value: object) -> str:
    if name.endswith("_seconds") and isinstance(value, int | float):
        return f"{name.removesuffix('_seconds')} {ago(value)}"
    return f"{name} {_short(name, value)}"


def _short(name: str, value: object) -> str:
    if name == "config":
        return str(value)[:6]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
