"""What would be done right now, by one look, the real rules and the real guards. Changes nothing and writes nothing.

Examples:
  zen-agents plan                                   this host
  zen-agents plan --facts facts.yaml                written facts instead of a host: needs no privilege, systemd or network
  zen-agents plan --at 02:30                        as if it were then: maintenance, and what runs only in a window
  zen-agents plan --out p.json                      what would run, for `once --plan p.json`
  zen-agents plan --exit-code                       10 if something would run
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from zen_agents.cli.answers import show_answers
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import add_run_options, options_of
from zen_agents.cli.out_file import print_into
from zen_agents.cli.render import flow, next_steps, note, plural, say
from zen_agents.cli.times import time_ahead
from zen_agents.clock import SystemClock
from zen_agents.engine.judged import judged_body
from zen_agents.errors import UsageError
from zen_agents.guards.set_by import default_of
from zen_agents.model.redaction import Redaction
from zen_agents.model.way_back import way_back
from zen_agents.rehearsal.plan import Line, PlanReport
from zen_agents.rehearsal.plan_file import PlanFile
from zen_agents.rehearsal.stage import rehearse_plan

_WORDS = {"would_run": "WOULD RUN", "needs_you": "NEEDS YOU", "blocked": "BLOCKED", "alert_only": "TELLS PEOPLE"}
_MARKS = {"would_run": "!", "needs_you": "?", "blocked": "x", "alert_only": "i", "unknown": "-"}
_SOMETHING_WOULD_RUN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `plan` takes."""
    add_run_options(parser, dry_run=False)
    parser.add_argument("--facts", metavar="FILE", type=Path, help="written facts instead of this host")
    parser.add_argument("--at", metavar="TIME", help="as if it were then: 2h (from now), 06:00 or an ISO time")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write what would run, for: once --plan FILE")
    parser.add_argument("--exit-code", action="store_true", help="end with 10 if something would run")


def run(call: Call) -> int:
    """Rehearse and print."""
    wanted, options = call.arguments, options_of(call)
    if wanted.out and (wanted.facts or wanted.at):
        raise UsageError("--out writes what can be run on this host now: leave out --facts and --at")
    at = time_ahead(wanted.at, SystemClock().now().wall) if wanted.at else None
    report = asyncio.run(rehearse_plan(options, wanted.facts, at))
    if call.machine:
        data(call, "plan", _body(report))
    else:
        _show(call, report)
    _note_unused(report)
    if wanted.out:
        print_into(wanted.out, lambda: print(PlanFile.of(report, options.agents).text(), end=""))
    return _SOMETHING_WOULD_RUN if call.arguments.exit_code and report.count("would_run") else 0


def _note_unused(report: PlanReport) -> None:
    for fact in report.unused_facts:
        note(f"no check of this configuration observes {fact}: it changes nothing here; is it misspelt?")


def _body(report: PlanReport) -> dict[str, Any]:
    return {
        "host": report.host, "mode": report.mode, "config": list(report.config), "at": report.at.isoformat(),
        "fine": report.fine, **{word: report.count(word) for word in _MARKS},
        "unused_facts": list(report.unused_facts), "lines": report.redaction.value([line.body() for line in report.lines]),
    }  # fmt: skip


def _show(call: Call, report: PlanReport) -> None:
    source = f"facts {call.arguments.facts}" if call.arguments.facts else f"host {report.host}"
    at = report.at if call.arguments.utc else report.at.astimezone()
    config = f"config {', '.join(report.config)}"
    source += ", as if it were then" if call.arguments.at else ""
    flow(call, ("DRY RUN", source, f"mode {report.mode}", config, f"{at:%Y-%m-%d %H:%M:%S %z}"), "  ")
    if not call.arguments.quiet:
        print()
        for line in report.lines:
            _show_line(call, line, report.redaction)
        print(f"  . {plural(report.fine, 'rule')} fine")
        print()
    print(
        f"Plan: {report.count('would_run')} to run, {report.count('needs_you')} needs approval, "
        f"{report.count('blocked')} blocked, {report.count('alert_only')} alerts only."
    )
    if report.count("would_run") and not call.arguments.at:
        once = f"zen-agents once --plan {call.arguments.out}" if call.arguments.out else "zen-agents once --yes"
        next_steps(call, once, "zen-agents run")


def _show_line(call: Call, line: Line, redaction: Redaction) -> None:
    name = line.rule.name if line.rule.target == "host" else f"{line.rule.name} ({line.rule.target})"
    say(call, f"{_MARKS[line.word]} {name:40} {line.finding.detail or line.finding.status.value}", indent=2, hang=4)
    if line.word == "unknown":
        print("      cannot be told; no data is not a problem")
        return
    judged = line.judged
    what = f"{judged.request.action} {judged.request.target}" if judged else line.rule.severity.value
    say(call, f"-> {what:36} {_WORDS[line.word]:13} {_extra(line)}", indent=6, hang=3)
    if line.condition:
        print(f"         {line.condition}")
    if judged is None:
        return
    if judged.plan and (call.arguments.verbose or line.word in ("would_run", "needs_you")):
        for step in judged.plan.steps:
            say(call, redaction.text(step), indent=9, hang=2)
        if judged.plan.warning:
            say(call, redaction.text(f"warning: {judged.plan.warning}"), indent=9, hang=9)
    if call.arguments.verbose:
        body = judged_body(judged)
        show_answers(call, redaction.value(body["guards"]), about={**body, "agent": line.rule.agent}, indent=9)
    elif deciding := judged.verdict.deciding:
        request = judged.request
        default = default_of(
            deciding.guard, deciding.reason or "", agent=line.rule.agent, action=request.action, target=request.target
        )
        words = (f"{deciding.guard}:", redaction.text(deciding.value), deciding.origin or default)
        say(call, " ".join(filter(None, words)), indent=9, hang=2)


def _extra(line: Line) -> str:
    judged = line.judged
    if line.word == "blocked" and line.reason:
        return f"reason {line.reason.value}"
    if judged and judged.plan:
        plan = judged.plan
        return f"risk {plan.risk.value}   reversible {way_back(plan.reversible.value)}   ~{plan.expected_seconds:g} s"
    return ""
