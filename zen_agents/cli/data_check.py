"""`data check`: a worker looks, this shows how far it is and what came of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zen_agents.adapters.data_checks import check_data
from zen_agents.cli.call import Call
from zen_agents.cli.data_contracts import DataSets, data_sets
from zen_agents.cli.envelope import data
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import next_steps, plural, say, table
from zen_agents.cli.times import took
from zen_agents.clock import SystemClock
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import FailingRow, Finding, Outcome, Profile, Report
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.plain import MalformedDatasetError, report_from_plain, report_to_plain
from zen_agents.errors import UsageError
from zen_agents.jobs.data_check import DataCheckProgress

#: Exit codes by what came of all.
_EXITS: Final = {Outcome.PASSED: 0, Outcome.TOLERATED: 0, Outcome.FAILED: 1, Outcome.UNKNOWN: 6}
#: Words of the table; colour goes by them.
_WORDS: Final = {
    Outcome.PASSED: "ok", Outcome.TOLERATED: "tolerated", Outcome.FAILED: "FAILED", Outcome.UNKNOWN: "unknown",
}  # fmt: skip


def check(call: Call) -> int:
    """Look at every data set that was named; the exit code is that of the worst."""
    sets, before = data_sets(call), _against(call)
    with Progress(call) as progress:
        reports = [_looked(each, sets, before.get(each.name), progress) for each in sets.wanted]
    if call.machine:
        data(call, "data-check", [{**report_to_plain(each), "outcome": each.outcome} for each in reports])
    else:
        for report in reports:
            _show(call, report)
        failed = [each.dataset for each in reports if each.outcome is Outcome.FAILED]
        if failed and call.arguments.contract is None:
            next_steps(call, f"zen-agents data check {failed[0]} -o json", "zen-agents runbook data")
    outcomes = {each.outcome for each in reports}
    return next(
        _EXITS[each] for each in (Outcome.FAILED, Outcome.UNKNOWN, Outcome.TOLERATED, Outcome.PASSED) if each in outcomes
    )


def _looked(contract: Contract, sets: DataSets, before: Profile | None, shown: Progress) -> Report:
    question = data_question(contract, sets.others(contract), before, SystemClock().now().wall.timestamp())

    def told(progress: DataCheckProgress) -> None:
        shown.show(f"{contract.name}: {progress.doing}", (progress.done + progress.share) / max(1, progress.of))

    return report_in(asyncio.run(check_data(question, told)))


def _against(call: Call) -> dict[str, Profile]:
    """Return what an earlier report left of each data set; one that was not good leaves nothing."""
    if call.arguments.against is None:
        return {}
    try:
        written = json.loads(Path(call.arguments.against).read_bytes())
        reports = [
            report_from_plain({key: value for key, value in each.items() if key != "outcome"}) for each in written["items"]
        ]
    except (ValueError, KeyError, TypeError, MalformedDatasetError) as error:
        raise UsageError(f"{call.arguments.against} is no report of data check -o json: {error}") from None
    return {each.dataset: each.profile for each in reports if each.is_good and each.profile is not None}


def _show(call: Call, report: Report) -> None:
    word = _WORDS[report.outcome]
    say(call, f"{report.dataset}  {word}  {report.place}: {_sum(call, report)}", hang=2, paint=word)
    if report.unknown:
        say(call, report.unknown, indent=2, hang=2)
        return
    bad = [each for each in report.findings if each.outcome is not Outcome.PASSED]
    shown = report.findings if call.output == "wide" else bad
    if shown:
        found = [(each.check, _WORDS[each.outcome], each.severity, each.reason or "-") for each in _worst_first(shown)]
        table(call, ("CHECK", "OUTCOME", "SEVERITY", "WHY"), found, spare=("SEVERITY",), goes_on="WHY")
    for finding in _worst_first(bad):
        _show_rows(call, finding)


def _sum(call: Call, report: Report) -> str:
    if report.rows is None:
        return "cannot be read"
    told = [plural(report.rows, "row"), plural(len(report.findings), "check")]
    told += [f"gone through {report.passes} times in {took(report.seconds)}"] if call.output == "wide" else []
    return ", ".join(told)


def _worst_first(findings: Sequence[Finding]) -> Sequence[Finding]:
    order = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.TOLERATED, Outcome.PASSED)
    return sorted(findings, key=lambda each: (order.index(each.outcome), -each.severity.rank))


def _show_rows(call: Call, finding: Finding) -> None:
    if not finding.evidence:
        return
    first = finding.evidence[0]
    columns = [cell.column for cell in (*first.keys, *first.cells)]
    numbered, filed = first.number is not None, any(row.file for row in finding.evidence)
    heads = [*(["FILE"] if filed else []), *(["ROW"] if numbered else []), *columns]
    say(call, "")
    say(call, f"{finding.check}: the first of them")
    table(call, heads, [_cells(row, numbered=numbered, filed=filed) for row in finding.evidence])


def _cells(row: FailingRow, *, numbered: bool, filed: bool) -> Sequence[object]:
    place = [*([row.file] if filed else []), *([row.number] if numbered else [])]
    return [*place, *(cell.text for cell in (*row.keys, *row.cells))]
