"""Look, decide and act once, wait for the outcomes, and end.

Exit: 0 nothing to do, or verified; 1 something is bad or failed; 4 a guard refused; 6 not known whether it worked; 75 busy.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from zen_agents.cli.call import Call
from zen_agents.cli.options import add_run_options, options_of
from zen_agents.cli.render import clean, data
from zen_agents.cli.status import seconds_of
from zen_agents.engine.engine import Engine
from zen_agents.errors import UsageError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.incident import IncidentState
from zen_agents.ports.store import ActionRow
from zen_agents.runtime import Runtime
from zen_agents.telemetry.logs import set_up_logging

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
        raise UsageError("nothing was done")
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
        print("zen-agents: not everything was settled in time", file=sys.stderr)
    finally:
        await runtime.close("once")
    return _tell(call, runtime, engine, began)


def _tell(call: Call, runtime: Runtime, engine: Engine, began: float) -> int:
    store = call.store()
    rows = store.actions(since=began)
    live = [i for i in engine.parts.book if i.state is not IncidentState.SUSPECTED]
    if call.machine:
        body = {
            "actions": [{"id": r.id, "action": r.action, "target": r.target, "outcome": r.kind.value} for r in rows],
            "incidents": [{"id": i.id, "rule": i.rule, "target": i.target, "state": i.state.value} for i in live],
        }  # fmt: skip
        data(call, "once", body)
    else:
        prefix = "DRY RUN  " if runtime.options.dry_run else ""
        for row in rows:
            print(f"{prefix}{row.id}  {row.action} {row.target} -> {row.kind.value}  {clean(row.effect.get('detail', ''))}")
        for incident in live:
            refused = f", refused: {incident.refused_for.value}" if incident.refused_for else ""
            print(f"{prefix}{incident.id}  {incident.rule} {incident.target} is {incident.state.value}{refused}")
        if not rows and not live:
            print(f"{prefix}Nothing to do.")
    return _code(rows, live)


def _code(rows: object, live: object) -> int:
    actions: list[ActionRow] = list(rows)  # type: ignore[call-overload]
    kinds = {row.kind for row in actions}
    if OutcomeKind.UNKNOWN in kinds or OutcomeKind.VERIFYING in kinds:
        return 6
    incidents = list(live)  # type: ignore[call-overload]
    if any(incident.refused_for for incident in incidents):
        return 4
    return 1 if incidents or kinds - {OutcomeKind.VERIFIED} else 0
