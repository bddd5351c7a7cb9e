"""Why nothing was done about a check: what was last decided about it, the guard that refused first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.answers import NEVER_OVERRIDDEN, deciding, sentence, show_answers, show_rule
from zen_agents.cli.call import Call
from zen_agents.cli.decisions import body
from zen_agents.cli.envelope import data
from zen_agents.cli.listing import recent
from zen_agents.cli.outlook import outlook
from zen_agents.cli.parsing import meant
from zen_agents.cli.render import say, typed
from zen_agents.cli.times import ago, moment_of
from zen_agents.errors import NotRunningError, PermissionDeniedError, UsageError
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.incident import Incident

#: Decisions that only say that what was done is waited for; the one before says why.
_WAITING = frozenset({"settling", "verifying", "not_held", "cleared", "escalated", "acknowledged"})
#: What a person may pass by naming it (guards that only bind the engine need no more than a reason).
_NAMED = frozenset({
    "cooldown", "rate_limit", "breaker_open", "recurrence", "storm_brake", "dependency_down", "stateful", "not_ours",
    "busy_elsewhere", "foreign_state",
})  # fmt: skip
_REASON_IS_ENOUGH = frozenset(
    {"safe_mode", "paused", "maintenance", "mode_observe", "auto_mitigate_off", "stopped_by_person"}
)

#: Incidents of one check, decisions of one incident, and decisions in all that are looked through.
_MOST_INCIDENTS, _MOST_DECISIONS, _NEWEST = 20, 1000, 20


def why_not(call: Call, store: SqliteStore, check: str) -> int:
    """Explain why the engine did nothing about a check, by its rule's or target's name; UsageError if nothing is like it."""
    now = call.now(store)
    until = moment_of(call.arguments.at, now.wall) if call.arguments.at else now.wall
    rows = _decided_about(store, check, until)
    state = _present(call, check)
    if not rows and (later := store.incidents_about(check, until=float("inf"), limit=1)):
        return _decided_only_later(call, later[0], until)
    if not rows:
        return _never_decided(call, store, check, state)
    judged = next((row for row in rows if row.entry.body.get("reason") not in _WAITING), rows[0])
    if call.machine:
        data(call, "why-not", {**body(judged), "now": state})
        return 0
    _tell(call, judged, state)
    _tell_guards(call, _asked(rows, judged), judged, now.steady)
    live = next((incident for incident in store.live_incidents() if incident.id == judged.entry.incident), None)
    if live is not None:
        say(call, f"What happens next: {outlook(call, live, now)}", hang=2)
    return 0


def _asked(rows: Sequence[ChainedEntry], judged: ChainedEntry) -> ChainedEntry:
    """Return the decision in which guards were last asked about the same incident: escalations rest on it."""
    same = (row for row in rows if row.entry.incident == judged.entry.incident and row.seq <= judged.seq)
    return next((row for row in same if row.entry.body.get("guards")), judged)


def _decided_about(store: SqliteStore, check: str, until: datetime) -> list[ChainedEntry]:
    """Return the newest decisions about a check by then, newest first.

    They are found by its incidents; where none is kept, among the newest decisions of all.
    """
    kinds, found = [EntryKind.DECISION], list[ChainedEntry]()
    for incident in store.incidents_about(check, until=until.timestamp(), limit=_MOST_INCIDENTS):
        found += store.entries(incident=incident.id, kinds=kinds, limit=_MOST_DECISIONS, newest_first=True)
    found = found or list(store.entries(kinds=kinds, limit=_MOST_DECISIONS, newest_first=True))
    about = [row for row in found if row.entry.at.wall <= until and check in _names(row.entry.body)]
    return sorted(about, key=lambda row: row.seq, reverse=True)[:_NEWEST]


def _names(facts: Mapping[str, Any]) -> tuple[str, ...]:
    rule, target = str(facts.get("rule", facts.get("check", ""))), str(facts.get("target", ""))
    return rule, target, target.partition(":")[2], rule.partition(".")[2], rule.rpartition(".")[2]


def _present(call: Call, check: str) -> Mapping[str, Any] | None:
    """Return how the check is now, as the running engine says; None if it does not run or does not know it."""
    return next((row for row in _checks(call) if check in _names(row)), None)


def _checks(call: Call) -> Sequence[Mapping[str, Any]]:
    try:
        checks: list[Mapping[str, Any]] = call.ask("status", timeout_seconds=5.0)["checks"]
    except (NotRunningError, PermissionDeniedError):
        return ()
    return checks


def _decided_only_later(call: Call, incident: Incident, until: datetime) -> int:
    if call.machine:
        data(call, "why-not", {"rule": incident.rule, "target": incident.target, "outcome": None, "now": None})
    else:
        print(f"Nothing had been decided about it by {call.clock(until)}. The first incident of it began later.")
    return 0


def _never_decided(call: Call, store: SqliteStore, check: str, state: Mapping[str, Any] | None) -> int:
    if state is None:
        decided = recent(store, lambda _: True, kinds=[EntryKind.DECISION], limit=1000)
        known = sorted({str(row.entry.body.get("rule")) for row in decided} | {str(row["check"]) for row in _checks(call)})
        near = meant(check, [*known, *(name.partition(".")[2] for name in known)])
        raise UsageError(f"no rule covers {check!r}{near}; there are: {', '.join(known) or 'none yet'}")
    if call.machine:
        data(call, "why-not", {"rule": state["check"], "target": state["target"], "outcome": None, "now": state})
    else:
        say(call, f"{state['check']} on {state['target']} is {state['state']}: {state['value']}")
        print("Nothing was ever decided about it: it has not been bad for long enough to count.")
    return 0


def _tell(call: Call, judged: ChainedEntry, state: Mapping[str, Any] | None) -> None:
    facts, entry = judged.entry.body, judged.entry
    incident = f", {entry.incident}" if entry.incident else ""
    say(call, f"{facts['rule']} on {facts['target']}, decided {call.clock(entry.at.wall)} ({entry.id}{incident})", hang=2)
    if state is not None:
        say(call, f"now: {state['state']}, {state['value']}", indent=2)


def _tell_guards(call: Call, asked: ChainedEntry, judged: ChainedEntry, now: float) -> None:
    facts, reason = judged.entry.body, str(judged.entry.body.get("reason"))
    refusal = deciding(asked.entry.body.get("guards") or ())
    if facts.get("outcome") == "act":
        print("  NOT BLOCKED: it acted.")
    else:
        until = refusal.get("until") if refusal and asked is judged else None
        left = f", {ago(until - now)} left" if until is not None and until > now else ""
        because = sentence(reason) if facts.get("guards") else facts.get("detail") or sentence(reason)
        say(call, f"BLOCKED by {reason}{left}: {because}", indent=2, hang=2)
    show_rule(call, asked.entry.body)
    if asked is not judged:
        print(f"  the guards when they were last asked, {call.clock(asked.entry.at.wall)}:")
    show_answers(call, asked.entry.body.get("guards") or (), about=asked.entry.body, now=now)
    _way_past(call, asked.entry.body, str(asked.entry.body.get("reason")))


def _way_past(call: Call, facts: Mapping[str, Any], reason: str) -> None:
    """Name the command with which a person does it all the same, if there is one."""
    if facts.get("outcome") == "act" or not facts.get("action"):
        return
    act = f"zen-agents act {facts['action']} {str(facts['target']).partition(':')[2] or facts['target']}"
    if reason in _NAMED and reason not in NEVER_OVERRIDDEN:
        typed(call, "Once by hand: ", f"{act} --override {reason} --reason TEXT")
    elif reason in _REASON_IS_ENOUGH:
        typed(call, "Once by hand: ", f"{act} --reason TEXT")
    elif reason == "emergency_stop":
        print("Nobody acts until: zen-agents resume --from-emergency")
    elif reason in ("not_allowed", "out_of_scope"):
        name = f"actions.allow.{facts['action']}"
        typed(call, "To allow it, list it in the configuration: ", f"zen-agents explain config {name}")
