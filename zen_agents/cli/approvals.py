"""What people are asked before it is done: list the questions, or show one with exactly what would run.

Examples:
  zen-agents approvals                              what waits for an answer
  zen-agents approvals --all                        also what was answered, expired or went stale
  zen-agents approvals show apr-2c8d                also: show @last
  zen-agents approvals token apr-2c8d               a signed token that answers it once
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from zen_agents.cli.asked_plan import show_asked_plan
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.listing import add_span, find, id_of, span, steady_of
from zen_agents.cli.render import next_steps, note, say, table
from zen_agents.cli.times import ago
from zen_agents.errors import UsageError
from zen_agents.model.approval import Approval
from zen_agents.model.redaction import shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `approvals` takes."""
    parser.add_argument("words", nargs="*", metavar="show ID | token ID", help="show one question, or issue a token for it")
    parser.add_argument("--all", action="store_true", help="also those that are over")
    add_span(parser)


def run(call: Call) -> int:
    """List, show one, or issue a token."""
    words = call.arguments.words
    if words[:1] == ["token"]:
        return _token(call, words[1:])
    store, id = call.store(), id_of(words)
    now = call.now(store)
    if id is not None:
        asked = store.approval(find(store, id, "apr"))
        if asked is None:
            raise UsageError(f"{id} is not kept any more")
        return _show(call, asked, now.steady)
    since, until = span(call, now)
    rows = store.approvals(since=steady_of(since, now), limit=call.arguments.limit)
    rows = [row for row in rows if row.asked_at.wall < until and (call.arguments.all or row.state.is_open)]
    if call.machine:
        data(call, "approvals", [body(row, now.steady) for row in rows])
        return 0
    if not rows:
        note("nothing waits for an answer" if not call.arguments.all else f"nothing was asked since {call.arguments.since}")
        return 0
    heads = ("ID", "EXPIRES", "ASKS FOR", "RISK", "AGREED", "STATE", "WHY")
    table(call, heads, [_row(row, now.steady) for row in rows], spare=("WHY", "AGREED", "RISK"), whole=heads[:-1])
    open_ones = [row.id for row in rows if row.state.is_open]
    if open_ones:
        id = open_ones[0]
        next_steps(
            call, f"zen-agents approvals show {id}", f"zen-agents approve {id} --reason TEXT", f"zen-agents deny {id}"
        )
    return 0


def _token(call: Call, words: list[str]) -> int:
    if len(words) != 1:
        raise UsageError("which one? write: token ID")
    result = call.ask("approval_token", approval=words[0])
    if call.machine:
        data(call, "approval_token", result)
    else:
        print(result["token"])
    return 0


def _row(row: Approval, now: float) -> tuple[object, ...]:
    left = f"in {ago(row.expires_at - now)}" if row.state.is_open else "-"
    what, why = f"{row.action} {row.target}", " ".join(filter(None, (row.because, row.incident)))
    return row.id, left, what, row.plan.get("risk", "-"), f"{row.agreed} of {row.needed}", row.state.value, why


def body(row: Approval, now: float) -> dict[str, Any]:
    """Return one question as plain JSON."""
    return {
        "id": row.id, "state": row.state.value, "action": row.action, "target": row.target, "agent": row.agent,
        "rule": row.rule, "incident": row.incident, "by": row.requested_by.name, "because": row.because,
        "digest": row.digest, "needed": row.needed, "agreed": row.agreed, "asked_at": row.asked_at.wall.isoformat(),
        "expires_seconds": row.expires_at - now, "ended_why": row.ended_why, "used_by": row.used_by,
        "answers": [
            {"by": a.by, "uid": a.uid, "yes": a.yes, "reason": a.reason, "at": _moment(a.wall)} for a in row.answers
        ],
        "plan": {name: value for name, value in shown(row.plan).items() if name not in ("params", "fingerprint")},
    }  # fmt: skip


def _moment(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat()


def _show(call: Call, row: Approval, now: float) -> int:
    if call.machine:
        data(call, "approval", body(row, now))
        return 0
    say(call, f"{row.id}  {row.action} {row.target}: {row.state.value.upper()}", paint=row.state.value.upper())
    show_asked_plan(call, row.plan)
    say(call, f"{'why':9} {' '.join(filter(None, (row.because, row.incident)))}", indent=2, hang=10)
    end = (
        f"{row.agreed} of {row.needed} agreed, expires in {ago(row.expires_at - now)}"
        if row.state.is_open
        else row.ended_why
    )
    say(call, f"{'state':9} {end or row.state.value}{f'; {row.used_by}' if row.used_by else ''}", indent=2, hang=10)
    for answer in row.answers:
        say(call, f"{'answer':9} {'yes' if answer.yes else 'no'} by {answer.by}: {answer.reason}", indent=2, hang=10)
    if row.state.is_open:
        next_steps(call, f"zen-agents approve {row.id} --reason TEXT", f"zen-agents deny {row.id} --reason TEXT")
    return 0
