"""`data check`: what came of a look, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from zen_agents.cli.call import Call
from zen_agents.cli.data_looking import exit_of, look
from zen_agents.cli.envelope import data
from zen_agents.cli.render import next_steps, plural, say, table
from zen_agents.cli.times import took
from zen_agents.datasets.cells import visible
from zen_agents.datasets.finding import FailingRow, Finding, Outcome, Report, worst_first
from zen_agents.datasets.plain import report_to_plain

#: Words of the table; colour goes by them.
_WORDS: Final = {
    Outcome.PASSED: "ok", Outcome.TOLERATED: "tolerated", Outcome.FAILED: "FAILED", Outcome.UNKNOWN: "unknown",
}  # fmt: skip

#: So many that are unknown for the same reason are told in one line.
_FOLDED: Final = 3


def check(call: Call) -> int:
    """Look at every data set that was named; the exit code is that of the worst."""
    reports = [each.report for each in look(call)]
    if call.machine:
        data(call, "data-check", [report_with_outcome(each) for each in reports])
    else:
        for report in reports:
            show(call, report)
        failed = [each.dataset for each in reports if each.outcome is Outcome.FAILED]
        if failed and call.arguments.contract is None:
            next_steps(call, f"zen-agents data check {failed[0]} -o json", "zen-agents runbook data")
    return exit_of(reports)


def report_with_outcome(report: Report) -> dict[str, Any]:
    """Return a report for programs."""
    return {**report_to_plain(report), "outcome": report.outcome}


def show(call: Call, report: Report) -> None:
    """Print one report for people."""
    word = _WORDS[report.outcome]
    say(call, f"{report.dataset}  {word}  {report.place}: {_sum(call, report)}", hang=2, paint=word)
    if report.unknown:
        say(call, report.unknown, indent=2, hang=2)
        return
    bad = [each for each in report.findings if each.outcome is not Outcome.PASSED]
    shown = report.findings if call.output == "wide" else bad
    if shown:
        lines = worst_first(shown)
        found = [
            (called, _WORDS[each.outcome], each.severity, each.reason or "-")
            for called, each in (_each(lines) if call.output == "wide" else _folded(lines))
        ]
        table(call, ("CHECK", "OUTCOME", "SEVERITY", "WHY"), found, spare=("SEVERITY",), goes_on="WHY")
    for finding in worst_first(bad):
        _show_rows(call, finding)


def _each(findings: Iterable[Finding]) -> Iterator[tuple[str, Finding]]:
    return ((each.check, each) for each in findings)


def _folded(findings: Iterable[Finding]) -> Iterator[tuple[str, Finding]]:
    """Yield what each is called, and it; several that are unknown for the same reason are one."""
    for (outcome, *_), group in groupby(findings, lambda each: (each.outcome, each.severity, each.reason)):
        alike = list(group)
        if outcome is Outcome.UNKNOWN and len(alike) >= _FOLDED:
            yield f"{alike[0].check} and {len(alike) - 1} more", alike[0]
        else:
            yield from _each(alike)


def _sum(call: Call, report: Report) -> str:
    if report.rows is None:
        return "cannot be read"
    told = [plural(report.rows, "row"), plural(len(report.findings), "check")]
    told += [f"gone through {plural(report.passes, 'time')} in {took(report.seconds)}"] if call.output == "wide" else []
    return ", ".join(told)


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
    return [*place, *(visible(cell.text) for cell in (*row.keys, *row.cells))]
