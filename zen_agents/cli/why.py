"""Why something was done, from observation to outcome; or with --not, why it was not.

why inc-4k2p | act-7m3x | dec-9f31 | @last
why --not system_health.nginx
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli import decisions, incidents
from zen_agents.cli.actions import body as action_body
from zen_agents.cli.call import Call
from zen_agents.cli.events import line
from zen_agents.cli.listing import find
from zen_agents.cli.render import ago, clean, data
from zen_agents.clock import SystemClock
from zen_agents.errors import UsageError
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.incident import Incident


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `why` takes."""
    parser.add_argument("id", nargs="?", help="an incident, action or decision, or @last")
    parser.add_argument("--not", dest="check", metavar="CHECK", help="why nothing was done about this check")


def run(call: Call) -> int:
    """Explain."""
    store = call.store()
    if call.arguments.check:
        return _why_not(call, store, call.arguments.check)
    id = call.arguments.id or "@last"
    if id.startswith("dec"):
        return decisions.run(_as(call, words=["show", id], since="10000d", limit=1, outcome=None, reason_is=None))
    if id.startswith("act"):
        row = store.action(find(store, id, "act"))
        if row is not None and row.incident is None:
            return _by_hand(call, store, row.id)
        id = row.incident if row and row.incident else id
    return explain_incident(call, store, id)


def _as(call: Call, **arguments: Any) -> Call:
    for name, value in arguments.items():
        setattr(call.arguments, name, value)
    return call


def _by_hand(call: Call, store: SqliteStore, id: str) -> int:
    row = store.action(id)
    if row is None:
        raise UsageError(f"{id} is not kept any more")
    if call.machine:
        data(call, "why", {"action": action_body(row)})
        return 0
    print(f"{row.id}: {row.requested_by} ran {row.action} {row.target}: {clean(row.because)}")
    print(f"  {row.kind.value}: {clean(row.effect.get('detail', ''))}")
    return 0


def explain_incident(call: Call, store: SqliteStore, id: str) -> int:
    """Print the causal chain of one incident, from the first bad look to what comes next."""
    incident = _incident(store, find(store, id.replace("@open", "@last"), "inc"))
    entries = store.entries(incident=incident.id, limit=1000)
    if call.machine:
        chain = [{"record": row.seq, "kind": row.entry.kind.value, "id": row.entry.id,
                  "at": row.entry.at.wall.isoformat(), "body": dict(row.entry.body)} for row in entries]  # fmt: skip
        data(call, "why", {"incident": incidents.body(incident), "chain": chain})
        return 0
    print(_sentence(call, incident, SystemClock(store.anchor()).now().steady))
    print()
    first = next((row.entry.body.get("seen") for row in entries if row.entry.body.get("seen")), incident.detail)
    print(f"{call.clock(incident.began_at.wall)}  check     {clean(first)}")
    for row in entries:
        print(line(call, row))
        if row.entry.kind is EntryKind.DECISION and row.entry.body.get("guards"):
            if row.entry.body.get("outcome") != "act" or call.arguments.verbose:
                decisions.guard_lines(row.entry.body)
            else:
                print(f"    {len(row.entry.body['guards'])} guards asked, all passed (-v shows each)")
    print()
    print("What happens next: " + _next(incident))
    name = incident.target.partition(":")[2] or incident.rule
    print(f"Stop it:  zen-agents pause {name} --for 2h --reason ...      All: scripts/stop-agents.sh --emergency")
    return 0


def _incident(store: SqliteStore, id: str) -> Incident:
    for incident in store.incidents(limit=100_000):
        if incident.id == id:
            return incident
    raise UsageError(f"{id} is not kept any more")


def _sentence(call: Call, incident: Incident, now: float) -> str:
    began = call.clock(incident.began_at.wall)
    if incident.resolved_at is not None:
        lasted = ago(incident.resolved_at.steady - incident.began_at.steady)
        return f"{incident.rule} on {incident.target} was bad from {began} for {lasted}; ended by {incident.resolved_by}."
    lasted = ago(now - incident.began_at.steady)
    return f"{incident.rule} on {incident.target} is {incident.state.value.upper()} since {began} ({lasted})."


def _next(incident: Incident) -> str:
    if incident.resolved_at is not None:
        return "nothing, it is over."
    if incident.outcome_unknown:
        return f"only people act on {incident.target} until: zen-agents resume target:{incident.target}"
    if incident.escalated_for is not None:
        return f"a person is needed: {incident.escalated_for.sentence}"
    if incident.refused_for is not None:
        return f"it is asked again; refused so far: {incident.refused_for.sentence}"
    return {"verifying": "the action is verified.", "suspected": "it is watched until it has lasted long enough."}.get(
        incident.state.value, "it is decided again at the next look."
    )


def _why_not(call: Call, store: SqliteStore, check: str) -> int:
    rows = store.entries(kinds=[EntryKind.DECISION], limit=100_000, newest_first=True)
    found = [row for row in rows if check in _names(row)]
    if not found:
        known = sorted({str(row.entry.body.get("rule")) for row in rows})
        hint = f" Decided so far: {', '.join(known)}." if known else " Nothing was ever decided here."
        print(f"No decision about {clean(check)}: no rule covers it, or it was never bad.{hint}")
        return 0
    return _blocked(call, found)


def _names(row: ChainedEntry) -> tuple[str, ...]:
    rule, target = str(row.entry.body.get("rule", "")), str(row.entry.body.get("target", ""))
    return rule, target, target.partition(":")[2], rule.rpartition(".")[2]


def _blocked(call: Call, found: Sequence[ChainedEntry]) -> int:
    judged = next((row for row in found if row.entry.body.get("guards")), found[0])
    if call.machine:
        data(call, "why-not", decisions.body(judged))
        return 0
    facts = judged.entry.body
    print(f"{facts['rule']} on {facts['target']}, last judged {call.clock(judged.entry.at.wall)} ({judged.entry.id}):")
    if facts.get("outcome") == "act":
        print("  nothing blocked it: it acted.")
    else:
        print(f"  BLOCKED by {facts['reason']}: {decisions.sentence(str(facts['reason']))}")
    decisions.guard_lines(facts)
    if str(facts["reason"]) in ("cooldown", "rate_limit", "breaker_open", "backoff", "recurrence"):
        name = str(facts["target"]).partition(":")[2] or facts["target"]
        print(
            f"Once by hand: zen-agents act {facts.get('action', 'ACTION')} {name} --override {facts['reason']} --reason ..."
        )
    return 0
