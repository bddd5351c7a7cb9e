"""Look, decide and act once, wait for the outcomes, and end.

Examples:
  zen-agents once --dry-run -c my.yaml              everything but the effect
  zen-agents once --yes --agent system_health
  zen-agents once --plan p.json --yes               exactly what `plan --out p.json` showed, or nothing
  zen-agents once --yes --wait-approvals 5m         people may answer meanwhile: zen-agents approve

Exit: 0 nothing to do, or verified; 1 something is bad or failed; 4 a guard refused, or the plan is no longer right; 5 nobody
answered in time; 6 not known whether it worked; 75 busy.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
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
from zen_agents.errors import RefusedError, UsageError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.approval import Approval, ApprovalState
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.ports.store import ActionRow
from zen_agents.rehearsal.plan_file import PlanFile
from zen_agents.rehearsal.stage import rehearse_plan
from zen_agents.runtime.runtime import Runtime
from zen_agents.telemetry.logs import set_up_logging
from zen_agents.wiring.options import Options

#: Outcomes of which it is known whether they helped.
_KNOWN = frozenset({OutcomeKind.VERIFIED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT})
#: How long to sleep between two turns while something is verified (seconds).
_TURN = 0.1
_REFUSED, _UNANSWERED = 4, 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `once` takes."""
    add_run_options(parser)
    parser.add_argument("--timeout", metavar="DURATION", default="5m", help="wait at most so long for outcomes (default 5m)")
    parser.add_argument(
        "--plan", metavar="FILE", type=Path, help="only what this plan says; nothing if the host has changed since"
    )
    parser.add_argument("--wait-approvals", metavar="DURATION", help="wait at most so long for answers of people")


def run(call: Call) -> int:
    """Take turns until nothing is under way."""
    options, planned = options_of(call), None
    if path := call.arguments.plan:
        planned = PlanFile.read(path)
        if options.agents or options.mode:
            raise UsageError("--plan runs what the file says, by its agents and mode: leave out --agent and --mode")
        options = replace(options, agents=frozenset(planned.agents), only_plans=planned.digests)
    if not call.arguments.yes and not options.dry_run and not call.confirm(_question(planned)):
        note("nothing was done")
        return 1
    if planned is not None:
        _refuse_if_moved(planned, options)
    set_up_logging(verbose=call.arguments.verbose, quiet=True)
    runtime = Runtime.load(options)
    return asyncio.run(_once(call, runtime, planned))


def _question(planned: PlanFile | None) -> str:
    if planned is None:
        return "Act on this host as the configuration allows?"
    return f"Do what was planned at {planned.at}: {', '.join(map(str, planned.planned)) or 'nothing'}?"


def _refuse_if_moved(planned: PlanFile, options: Options) -> None:
    """Look at the host as `plan` does; RefusedError unless everything is as it was planned for."""
    report = asyncio.run(rehearse_plan(options, None))
    if moved := planned.moved(PlanFile.of(report, options.agents)):
        told = "\n".join(f"  {line}" for line in moved)
        raise RefusedError(
            f"{Reason.STALE_PLAN}: nothing was run, for the plan is no longer right:\n{told}\n"
            "plan anew: zen-agents plan --out FILE",
            reason=Reason.STALE_PLAN,
        )


async def _once(call: Call, runtime: Runtime, planned: PlanFile | None) -> int:
    engine = runtime.open()
    began, unanswered = runtime.clock.now().steady, False
    try:
        await engine.start_without_loops()
        await _settle(call, engine)
        if call.arguments.wait_approvals:
            unanswered = not await _answered(call, runtime, engine)
    finally:
        await runtime.close("once")
    code = _tell(call, runtime, engine, began, planned)
    return _UNANSWERED if unanswered else code


async def _settle(call: Call, engine: Engine) -> None:
    try:
        async with asyncio.timeout(seconds_of(call.arguments.timeout)):
            await engine.settle(_TURN)
    except TimeoutError:
        note("zen-agents: not everything was settled in time; see: zen-agents actions --outcome verifying,running")


async def _answered(call: Call, runtime: Runtime, engine: Engine) -> bool:
    """Let people answer what is asked, and do what they agree to; False if a question was not answered in time."""
    store, told = engine.parts.store, set[str]()
    async with runtime.open_to_people():
        ends_at = runtime.clock.now().steady + seconds_of(call.arguments.wait_approvals)
        while (now := runtime.clock.now()).steady < ends_at:
            engine.approvals.expire(now)
            asked = store.open_approvals()
            if not asked:
                return all(_is_answered(store.approval(id)) for id in told)
            for each in asked:
                if each.id not in told:
                    note(f"{each.id} asks for {each.action} {each.target}; answer: zen-agents approve {each.id}")
            told.update(each.id for each in asked)
            await asyncio.sleep(_TURN)
            await _settle(call, engine)
    return False


def _is_answered(asked: Approval | None) -> bool:
    return asked is not None and asked.state is not ApprovalState.EXPIRED


def _tell(call: Call, runtime: Runtime, engine: Engine, began: float, wanted: PlanFile | None) -> int:
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
    for incident in engine.parts.book:
        if incident.state is IncidentState.SUSPECTED and incident.last_status is Status.PROBLEM:
            note(f"{incident.rule} on {incident.target} is bad, but not for as long as its rule asks; `run` waits for that")
    left = [] if wanted is None or runtime.options.dry_run else _left(wanted, rows)
    for what in left:
        note(f"{what} was not run: it has not lasted as long as its rule asks, or a guard refused; run the plan again later")
    return _code(rows, live) or (_REFUSED if left else 0)


def _left(wanted: PlanFile, rows: Sequence[ActionRow]) -> list[str]:
    done = {f"{row.action} {row.target}" for row in rows}
    return [name for name in dict.fromkeys(map(str, wanted.planned)) if name not in done]


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
        return _REFUSED
    return 1 if live or kinds - {OutcomeKind.VERIFIED} else 0
