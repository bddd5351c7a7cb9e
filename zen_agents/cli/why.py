"""Why something was done, from observation to outcome; or with --not, why it was not.

Examples:
  zen-agents why                                    the last incident; also: why @open
  zen-agents why inc-4k2p                           an incident; also an action or a decision
  zen-agents why --not web                          what blocked it, the refusing guard first
  zen-agents why --not web --at 03:10               as it was decided then
"""

from __future__ import annotations

import argparse
import re

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli import decisions, incidents
from zen_agents.cli.actions import action
from zen_agents.cli.actions import body as action_body
from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.chain import Chain, chain_body
from zen_agents.cli.changed import changes_about, changes_body, show_changes
from zen_agents.cli.envelope import data
from zen_agents.cli.incident_lines import lines_about, lines_body, show_lines
from zen_agents.cli.listing import find
from zen_agents.cli.outlook import outlook
from zen_agents.cli.related import related_body, show_related
from zen_agents.cli.render import say, typed
from zen_agents.cli.times import ago
from zen_agents.engine.correlated import Correlated
from zen_agents.errors import UsageError
from zen_agents.model.incident import Incident, IncidentState

#: Entries of one incident that are read; an unchanged no is written once, so that few have more.
_MOST_ENTRIES = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `why` takes."""
    parser.add_argument("id", nargs="?", help="an incident, action, decision or approval, @last or @open")
    parser.add_argument("--not", dest="check", metavar="CHECK", help="why nothing was done about this check")
    parser.add_argument("--at", metavar="TIME", help="with --not: the last decision before then")


def run(call: Call) -> int:
    """Explain."""
    store, wanted = call.store(), call.arguments
    if wanted.check:
        from zen_agents.cli.why_not import why_not  # noqa: PLC0415  shares nothing else with the chain

        return why_not(call, store, wanted.check)
    if wanted.at:
        raise UsageError("--at goes with --not CHECK")
    id = wanted.id or "@last"
    if id.startswith("dec"):
        return decisions.show(call, decisions.decision(store, find(store, id, "dec")))
    if id.startswith("apr"):
        return _asked(call, store, find(store, id, "apr"))
    if id.startswith("act"):
        row = action(store, find(store, id, "act"))
        return explain_incident(call, store, row.incident) if row.incident else _by_hand(call, store, row.id)
    if not re.match("@|inc-", id):
        id = _any_kind(store, id)
    return explain_incident(call, store, id)


def _any_kind(store: SqliteStore, id: str) -> str:
    """Return the incident that is meant by an id without its prefix, or by the name of what is broken."""
    named = [row for row in store.incidents_about(id, until=float("inf"), limit=100) if row.opened_at]
    return named[0].id if named else id


def _asked(call: Call, store: SqliteStore, id: str) -> int:
    """Explain what was asked about: an incident, or what a person wants to do."""
    asked = store.approval(id)
    if asked is not None and asked.incident:
        return explain_incident(call, store, asked.incident)
    if asked is not None and asked.used_by:
        return _by_hand(call, store, asked.used_by)
    raise UsageError(f"{id} is about no incident, and nothing was done; see: zen-agents approvals show {id}")


def _by_hand(call: Call, store: SqliteStore, id: str) -> int:
    row = action(store, id)
    entries = store.entries(action=id, limit=_MOST_ENTRIES)
    if call.machine:
        data(call, "why", {"incident": None, "action": action_body(row), "chain": chain_body(entries)})
        return 0
    say(call, f"{row.requested_by} ran {row.action} {row.target}: {row.because or 'no reason given'}")
    print()
    Chain(call, entries).show()
    return 0


def explain_incident(call: Call, store: SqliteStore, id: str) -> int:
    """Print the causal chain of one incident, from the first bad look to what comes next."""
    incident = _incident(store, find(store, id, "inc"))
    entries = store.entries(incident=incident.id, limit=_MOST_ENTRIES)
    happens = outlook(call, incident, call.now(store))
    changed = changes_about(store, incident, call.now(store))
    related = Correlated(store).about(incident, call.now(store).steady)
    lines = lines_about(store, incident, related)
    if call.machine:
        told = {
            "chain": chain_body(entries), "changed": changes_body(changed), "next": happens, "lines": lines_body(lines),
            "related": related_body(related),
        }  # fmt: skip
        data(call, "why", {"incident": incidents.body(incident), **told})
        return 0
    say(call, _sentence(call, incident, call.now(store).steady))
    print()
    first = next((row.entry.body.get("seen") for row in entries if row.entry.body.get("seen")), incident.detail)
    say(call, f"{call.clock(incident.began_at.wall)}  check     {first}", hang=12)
    show_lines(call, lines)
    Chain(call, entries).show()
    show_related(call, related)
    print()
    show_changes(call, changed)
    print()
    say(call, f"What happens next: {happens}", hang=2)
    if incident.is_live:
        name = incident.target.partition(":")[2] or incident.rule
        typed(call, "Fix it:   ", f"zen-agents runbook {incident.id}")
        if living_engine(call.state_dir) is not None:
            typed(call, "Take it:  ", f"zen-agents ack {incident.id}")
            typed(call, "Stop it:  ", f"zen-agents pause {name} --for 2h --reason TEXT")
        typed(call, "Stop all: ", "zen-agents stop --emergency")
    return 0


def _incident(store: SqliteStore, id: str) -> Incident:
    incident = store.incident(id)
    if incident is None:
        raise UsageError(f"{id} is not kept any more")
    return incident


def _sentence(call: Call, incident: Incident, now: float) -> str:
    began, what = call.clock(incident.began_at.wall), f"{incident.rule} on {incident.target}"
    end = incident.resolved_at
    lasted = ago((end.steady if end else now) - incident.began_at.steady)
    if end is not None:
        by = {"engine": "repaired by the engine", "itself": "it recovered by itself"}
        who = by.get(incident.resolved_by, f"ended by {incident.resolved_by}")
        return f"{what} was bad from {began} for {lasted}; {who}.  {incident.id}"
    word = {IncidentState.VERIFYING: "being verified", IncidentState.SUSPECTED: "suspected"}.get(incident.state, "DOWN")
    told = ", people were told" if incident.state is IncidentState.ESCALATED else ""
    return f"{what} is {word} since {began} ({lasted}{told}).  {incident.id}, {incident.severity.value}"
