"""List decisions, also each no, or show one: decisions [show ID] [--outcome skip] [--reason-is cooldown]."""

from __future__ import annotations

import argparse
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.listing import add_span, find, matching, names, since_wall
from zen_agents.cli.render import clean, data, next_steps, table
from zen_agents.clock import Instant
from zen_agents.errors import UsageError
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.reason import Reason


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `decisions` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID", help="show one decision with every guard's answer")
    add_span(parser, default="1d")
    parser.add_argument("--outcome", metavar="WORD", help="only these: act, skip, ask, alert, resolve, failed")
    parser.add_argument("--reason-is", metavar="WORD", help="only this reason, such as cooldown")


def run(call: Call) -> int:
    """List, or show one."""
    store, words = call.store(), call.arguments.words
    if words:
        return _show(call, _entry(store.entries(kinds=[EntryKind.DECISION], limit=100_000), find(store, words[-1], "dec")))
    since = since_wall(call.arguments.since, _now())
    newest = store.entries(kinds=[EntryKind.DECISION], limit=100_000, newest_first=True)
    rows = [row for row in newest if row.entry.at.wall >= since and _wanted(call, row)][: call.arguments.limit]
    if names(call, (row.entry.id for row in rows)):
        return 0
    if call.machine:
        data(call, "decisions", [body(row) for row in rows])
        return 0
    table(call, ("ID", "WHEN", "RULE", "TARGET", "OUTCOME", "REASON", "DETAIL"), [_row(call, row) for row in rows])
    if rows:
        next_steps(call, f"zen-agents decisions show {rows[0].entry.id}")
    return 0


def _now() -> Any:
    from zen_agents.clock import SystemClock  # noqa: PLC0415

    instant: Instant = SystemClock().now()
    return instant.wall


def _entry(rows: Any, id: str) -> ChainedEntry:
    for row in rows:
        if row.entry.id == id:
            found: ChainedEntry = row
            return found
    raise UsageError(f"{id} is not kept any more")


def _wanted(call: Call, row: ChainedEntry) -> bool:
    facts = row.entry.body
    return matching(str(facts.get("outcome")), call.arguments.outcome) and matching(
        str(facts.get("reason")), call.arguments.reason_is
    )


def _row(call: Call, row: ChainedEntry) -> tuple[object, ...]:
    entry, facts = row.entry, row.entry.body
    return (
        entry.id, call.clock(entry.at.wall), facts.get("rule", "-"), facts.get("target", "-"), facts.get("outcome", "-"),
        facts.get("reason", "-"), clean(facts.get("detail", ""))[:60],
    )  # fmt: skip


def body(row: ChainedEntry) -> dict[str, Any]:
    """Return one decision as plain JSON."""
    entry = row.entry
    return {"id": entry.id, "at": entry.at.wall.isoformat(), "incident": entry.incident, "record": row.seq, **entry.body}


def _show(call: Call, row: ChainedEntry) -> int:
    if call.machine:
        data(call, "decision", body(row))
        return 0
    facts = row.entry.body
    print(f"{row.entry.id}  {call.clock(row.entry.at.wall)}  {facts.get('rule')} on {facts.get('target')}")
    print(f"  {facts.get('outcome')}: {facts.get('reason')} - {sentence(str(facts.get('reason')))}")
    print(f"  {clean(facts.get('detail', ''))}")
    guard_lines(facts)
    return 0


def sentence(word: str) -> str:
    """Return what a reason's word means."""
    return Reason(word).sentence if word in set(Reason) else ""


def guard_lines(facts: Any) -> None:
    """Print every guard's answer, the refusing ones first."""
    order = {"deny": 0, "simulate": 1, "hold": 2, "allow": 3}
    for answer in sorted(facts.get("guards", ()), key=lambda answer: order.get(answer["ruling"], 0)):
        word = {"allow": "pass"}.get(answer["ruling"], answer["ruling"].upper())
        text = " ".join(filter(None, (answer.get("reason", ""), clean(answer.get("value", "")))))
        print(f"    {answer['guard']:18} {word:9} {text:60} {answer.get('origin', '')}".rstrip())
