"""`packages plan`: what would be upgraded now, as each ecosystem's own resolver says, and whether it would be done."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.options import config_of
from zen_agents.cli.render import next_steps, plural, say
from zen_agents.engine.judged import Judged
from zen_agents.errors import UsageError
from zen_agents.model.action import ResourceKind
from zen_agents.model.way_back import way_back
from zen_agents.rehearsal.plan import Line, PlanReport
from zen_agents.rehearsal.stage import rehearse_plan
from zen_agents.wiring.options import Options

_AGENT = "dependency_manager"
_SOMETHING_WOULD_RUN = 10
_WORDS = {
    "would_run": "WOULD BE DONE", "needs_you": "NEEDS YOU", "blocked": "BLOCKED", "alert_only": "TELLS PEOPLE",
    "unknown": "NOT KNOWN",
}  # fmt: skip


def plan(call: Call) -> int:
    """Rehearse the agent's rules by the present look; 10 with --exit-code if something would be done."""
    if call.arguments.environment:
        raise UsageError("packages plan is about what the configuration lists; of other places: packages outdated -e PATH")
    if sys.stderr.isatty() and not call.arguments.quiet:
        sys.stderr.write("looking, and asking the resolvers ...\n")
    report = asyncio.run(rehearse_plan(Options([config_of(call)], call.state_dir, agents=frozenset({_AGENT})), None))
    if call.output in ("jsonl", "name") or call.fields:
        data(call, "packages-plan", [_body(line, report) for line in report.lines])
    elif call.machine:
        counts = {word: report.count(word) for word in _WORDS}
        data(call, "packages-plan", {**counts, "items": [_body(line, report) for line in report.lines]})
    else:
        _show(call, report)
    return _SOMETHING_WOULD_RUN if call.arguments.exit_code and report.count("would_run") else 0


def _body(line: Line, report: PlanReport) -> dict[str, Any]:
    judged = line.judged
    made = judged.plan if judged is not None else None
    body = {
        "name": line.rule.target.partition(":")[2], "rule": line.rule.name, "target": line.rule.target, "outcome": line.word,
        "reason": line.reason.value if line.reason else None, "detail": line.finding.detail,
        "steps": list(made.steps) if made else [], "asks": list(made.asks) if made else [],
        "reversible": made.reversible.value if made else None, "restarts": list(_restarts(judged)),
        "digest": made.digest if made else None,
    }  # fmt: skip
    shown: dict[str, Any] = report.redaction.value(body)
    return shown


def _restarts(judged: Judged | None) -> Sequence[str]:
    if judged is None or judged.plan is None:
        return ()
    touched = (*judged.plan.touches, *judged.plan.along)
    return tuple(dict.fromkeys(each.name for each in touched if each.kind is ResourceKind.UNIT))


def _show(call: Call, report: PlanReport) -> None:
    for line in report.lines:
        body = _body(line, report)
        say(call, f"{line.rule.target}: {_WORDS[line.word]}: {line.rule.summary}")
        say(call, body["detail"] or line.finding.status.value, indent=2, hang=2)
        for step in body["steps"]:
            say(call, f"{'step':10} {step}", indent=2, hang=11)
        for why in body["asks"]:
            say(call, f"{'asks':10} {why}", indent=2, hang=11)
        if body["restarts"]:
            say(call, f"{'restarts':10} {', '.join(body['restarts'])}", indent=2, hang=11)
        if body["reversible"]:
            say(call, f"{'reversible':10} {way_back(body['reversible'])}", indent=2, hang=11)
        if line.judged is not None and (deciding := line.judged.verdict.deciding) is not None and line.word == "blocked":
            say(call, f"{'blocked':10} {deciding.reason}: {deciding.value}", indent=2, hang=11)
        say(call, "")
    told = ", ".join(f"{report.count(word)} {words.lower()}" for word, words in _WORDS.items() if report.count(word))
    say(call, f"Plan: {told or 'nothing is to be done'} ({plural(report.fine, 'rule')} fine)")
    if report.count("would_run"):
        next_steps(call, f"zen-agents once --agent {_AGENT} --yes")
