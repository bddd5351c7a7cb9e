"""What would be done right now, by one look, the real rules and the real guards. Changes nothing and writes nothing.

plan                          this host
plan --facts facts.yaml       written facts instead of a host: needs no privilege, systemd or network
plan --exit-code              10 if something would run
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from zen_agents.cli.call import Call
from zen_agents.cli.decisions import guard_lines
from zen_agents.cli.options import add_run_options, options_of
from zen_agents.cli.render import clean, data, next_steps
from zen_agents.rehearsal.plan import Line, PlanReport
from zen_agents.rehearsal.stage import rehearse_plan

_WORDS = {"would_run": "WOULD RUN", "needs_you": "NEEDS YOU", "blocked": "BLOCKED", "alert_only": "TELLS PEOPLE"}
_MARKS = {"would_run": "!", "needs_you": "?", "blocked": "x", "alert_only": "i", "unknown": "-"}
_SOMETHING_WOULD_RUN = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `plan` takes."""
    add_run_options(parser)
    parser.add_argument("--facts", metavar="FILE", type=Path, help="written facts instead of this host")
    parser.add_argument("--exit-code", action="store_true", help="end with 10 if something would run")


def run(call: Call) -> int:
    """Rehearse and print."""
    options = options_of(call)
    report = asyncio.run(rehearse_plan(options, call.arguments.facts))
    if call.machine:
        data(call, "plan", {"at": report.at.isoformat(), "fine": report.fine, "lines": [i.body() for i in report.lines]})
    else:
        _show(call, report)
    return _SOMETHING_WOULD_RUN if call.arguments.exit_code and report.count("would_run") else 0


def _show(call: Call, report: PlanReport) -> None:
    source = f"facts {call.arguments.facts}" if call.arguments.facts else "this host"
    print(f"DRY RUN  {source}  {call.clock(report.at)}")
    if not call.arguments.quiet:
        print()
        for line in report.lines:
            _show_line(call, line)
        print(f"  . {report.fine} rules fine")
        print()
    print(
        f"Plan: {report.count('would_run')} to run, {report.count('needs_you')} needs approval, "
        f"{report.count('blocked')} blocked, {report.count('alert_only')} alerts only."
    )
    next_steps(call, "zen-agents once --yes", "zen-agents run")


def _show_line(call: Call, line: Line) -> None:
    name = line.rule.name if line.rule.target == "host" else f"{line.rule.name} ({line.rule.target})"
    print(f"  {_MARKS[line.word]} {name:40} {clean(line.finding.detail) or line.finding.status.value}")
    if line.word == "unknown":
        print("      cannot be told; no data is not a problem")
        return
    judged = line.judged
    what = f"{judged.request.action} {judged.request.target}" if judged else line.rule.severity.value
    extra = f"reason {line.reason.value}" if line.reason and line.word == "blocked" else ""
    if judged and judged.plan and line.word == "would_run":
        plan = judged.plan
        extra = f"risk {plan.risk.value}   reversible {plan.reversible.value}   ~{plan.expected_seconds:g} s"
    print(f"      -> {what:36} {_WORDS[line.word]:13} {extra}".rstrip())
    if line.condition:
        print(f"         {line.condition}")
    if judged and judged.plan and (call.arguments.verbose or line.word == "would_run"):
        for step in judged.plan.steps:
            print(f"         {clean(step)}")
    if judged and (call.arguments.verbose or line.word == "blocked"):
        deciding = judged.verdict.deciding
        if call.arguments.verbose:
            from zen_agents.engine.operator import judged_body  # noqa: PLC0415

            guard_lines(judged_body(judged))
        elif deciding:
            print(f"         {deciding.guard}: {clean(deciding.value)} {deciding.origin}".rstrip())
