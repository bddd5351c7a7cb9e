"""Look, decide and act once, wait for the outcomes, and end.

Examples:
  zen-agents once --dry-run -c my.yaml              everything but the effect
  zen-agents once --yes --agent system_health

Exit: 0 nothing to do, or verified; 1 something is bad or failed; 4 a guard refused; 6 not known whether it worked; 75 busy.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.actions import body as action_body
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.incidents import body as incident_body
from zen_agents.cli.options import add_run_options, options_of
from zen_agents.cli.render import note, say
from zen_agents.cli.times import seconds_of
from zen_agents.engine.engine import Engine
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.reason import Reason
from zen_agents.ports.store import ActionRow
from zen_agents.runtime import Runtime
from zen_agents.telemetry.logs import set_up_logging

#: Outcomes of which it is known whether they helped.
_KNOWN = frozenset({OutcomeKind.VERIFIED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT})
#: How long to sleep between two turns while something is verified (seconds).
_TURN = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `once` takes."""
    add_run_options(parser)
    parser.add_argument("--timeout", metavar="DURATION", default="5m", help="wait at most so long for outcomes (default 5m)")


def run(call: Call) -> int:
    """Take turns until nothing is under way."""
    options = options_of(call)
    if not call.arguments.yes and not options.dry_run and not call.confirm("Act on this host as the configuration allows?"):
        note("nothing was done")
        return 1
    set_up_logging(verbose=call.arguments.verbose, quiet=True)
    runtime = Runtime.load(options)
    return asyncio.run(_once(call, runtime))


async def _once(call: Call, runtime: Runtime) -> int:
    engine = runtime.open()
    began = runtime.clock.now().steady
    try:
        await engine.start_without_loops()
        async with asyncio.timeout(seconds_of(call.arguments.timeout)):
            await engine.settle(_TURN)
    except TimeoutError:
        note("zen-agents: not everything was settled in time; see: zen-agents actions --outcome verifying,running")
    finally:
        await runtime.close("once")
    return _tell(call, runtime, engine, began)


def _tell(call: Call, runtime: Runtime, engine: Engine, began: float) -> int:
    store = call.store()
    rows = list(reversed(store.actions(since=began, limit=1000)))
    planned = _planned(store, began) if runtime.options.dry_run else []
    live = [incident for incident in engine.parts.book if incident.state is not IncidentState.SUSPECTED]
    if call.machine:
        body = {
            "dry_run": runtime.options.dry_run,
            "would": [dict(facts) for facts in planned],
            "actions": [action_body(row) for row in rows],
            "incidents": [incident_body(incident) for incident in live],
        }
        data(call, "once", body)
    else:
        prefix = "DRY RUN  " if runtime.options.dry_run else ""
        for facts in planned:
            steps = "; ".join(facts.get("plan", {}).get("steps", ()))
            say(call, f"{prefix}would {facts['action']} {facts['target']}: {steps}")
        for row in rows:
            detail = row.effect.get("detail", "")
            say(call, f"{prefix}{row.id}  {row.action} {row.target} -> {row.kind.value}  {detail}")
        for incident in live:
            refused = f", {incident.refused_for.value}: {incident.refused_for.sentence}" if incident.refused_for else ""
            say(call, f"{prefix}{incident.id}  {incident.rule} on {incident.target} is {incident.state.value}{refused}")
        if not rows and not live and not planned:
            print(f"{prefix}Nothing to do.")
    return _code(rows, live)


def _planned(store: SqliteStore, began: float) -> list[Mapping[str, Any]]:
    """Return what only the dry run kept from being done."""
    rows = store.entries(kinds=[EntryKind.DECISION], limit=1000, newest_first=True)
    young = [row.entry.body for row in reversed(rows) if row.entry.at.steady >= began]
    return [facts for facts in young if facts.get("reason") == Reason.DRY_RUN.value]


def _code(rows: Sequence[ActionRow], live: Sequence[Incident]) -> int:
    kinds = {row.kind for row in rows}
    if kinds - _KNOWN:
        return 6
    if any(incident.refused_for not in (None, Reason.DRY_RUN) for incident in live):
        return 4
    return 1 if live or kinds - {OutcomeKind.VERIFIED} else 0
