"""Every decision, also each no: list them, or show one with what every guard said.

Examples:
  zen-agents decisions --outcome skip --reason cooldown     what was not done, and why
  zen-agents decisions show dec-9f31                        also: show @last
  zen-agents decisions -f                                   goes on showing them, until Ctrl-C
"""

from __future__ import annotations

import argparse
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.answers import sentence, show_answers, show_rule
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.events import follow_entries
from zen_agents.cli.listing import add_span, find, id_of, matching, one_of, recent, span
from zen_agents.cli.render import next_steps, note, say, table
from zen_agents.errors import UsageError
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.reason import Reason

_OUTCOMES = ("act", "skip", "ask", "alert", "resolve", "failed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `decisions` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID", help="show one decision with every guard's answer")
    add_span(parser, default="1d")
    parser.add_argument("-f", "--follow", action="store_true", help="go on showing them, until Ctrl-C")
    parser.add_argument("--outcome", metavar="WORD,...", help=f"only these: {', '.join(_OUTCOMES)}")
    # Nothing is changed here, so that no reason for the ledger is needed.
    parser.add_argument("--reason", metavar="WORD,...", help="only these reasons, such as cooldown")
    parser.add_argument("--target", metavar="NAME,...", help="only these targets")
    parser.add_argument("--incident", metavar="ID", help="only of this incident")


def run(call: Call) -> int:
    """List, or show one."""
    if call.arguments.follow:
        return follow_entries(call, [EntryKind.DECISION])
    store, id = call.store(), id_of(call.arguments.words)
    if id is not None:
        return show(call, decision(store, find(store, id, "dec")))
    since, until = span(call, call.now(store))
    outcomes = one_of(call.arguments.outcome, _OUTCOMES, "outcome")
    reasons = one_of(call.arguments.reason, [reason.value for reason in Reason], "reason")

    def wanted(row: ChainedEntry) -> bool:
        facts = row.entry.body
        return (
            row.entry.at.wall < until
            and (not outcomes or facts.get("outcome") in outcomes)
            and (not reasons or facts.get("reason") in reasons)
            and matching(str(facts.get("target")), call.arguments.target)
            and (not call.arguments.incident or (row.entry.incident or "").startswith(call.arguments.incident))
        )

    rows = recent(store, wanted, kinds=[EntryKind.DECISION], since=since, limit=call.arguments.limit)
    if call.machine:
        data(call, "decisions", [body(row) for row in rows])
        return 0
    if not rows:
        note(f"no such decision since {call.arguments.since}")
        return 0
    heads = ("ID", "WHEN", "RULE", "TARGET", "OUTCOME", "REASON", "DETAIL")
    table(call, heads, [_row(call, row) for row in rows], spare=("TARGET", "DETAIL"), whole=heads[:-1])
    next_steps(call, f"zen-agents decisions show {rows[0].entry.id}")
    return 0


def decision(store: SqliteStore, id: str) -> ChainedEntry:
    """Return one decision; UsageError if retention has dropped it."""
    found = store.decision(id)
    if found is None:
        raise UsageError(f"{id} is not kept any more")
    return found


def _row(call: Call, row: ChainedEntry) -> tuple[object, ...]:
    entry, facts = row.entry, row.entry.body
    return (
        entry.id, call.when(entry.at.wall), facts.get("rule", "-"), facts.get("target", "-"), facts.get("outcome", "-"),
        facts.get("reason", "-"), facts.get("detail") or facts.get("seen", ""),
    )  # fmt: skip


def body(row: ChainedEntry) -> dict[str, Any]:
    """Return one decision as plain JSON."""
    entry = row.entry
    return {"id": entry.id, "at": entry.at.wall.isoformat(), "incident": entry.incident, "record": row.seq, **entry.body}


def show(call: Call, row: ChainedEntry) -> int:
    """Print one decision with every guard's answer."""
    if call.machine:
        data(call, "decision", body(row))
        return 0
    facts = row.entry.body
    say(call, f"{row.entry.id}  {call.clock(row.entry.at.wall)}  {facts.get('rule')} on {facts.get('target')}")
    say(call, f"{facts.get('outcome')}: {facts.get('reason')} - {sentence(facts.get('reason'))}", indent=2)
    for name in ("seen", "detail"):
        if facts.get(name) and not (name == "detail" and facts["detail"] == facts.get("seen")):
            say(call, f"{name:9} {facts[name]}", indent=2, hang=10)
    show_rule(call, facts)
    show_answers(call, facts.get("guards", ()), about=facts)
    if row.entry.incident:
        next_steps(call, f"zen-agents why {row.entry.incident}")
    return 0
