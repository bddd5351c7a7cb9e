"""Reports about data sets as JUnit XML: a suite for each data set, a test for each check."""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.datasets.finding import FailingRow, Finding, Outcome, Report
from zen_agents.report.junit_xml import Case, Suite, document


def junit(reports: Iterable[Report]) -> str:
    """Return the document; what could not be told is an error, what is tolerated is said and passes.

    The time of a suite is that of the look: all its checks are asked together.
    """
    suites = (Suite(each.dataset, list(_cases(each)), each.seconds or None) for each in reports)
    return document("zen-agents data report", suites)


def _cases(report: Report) -> Iterable[Case]:
    if report.unknown:
        yield Case("could be looked at", error=report.unknown)
    for finding in report.findings:
        yield _case(finding)


def _case(finding: Finding) -> Case:
    match finding.outcome:
        case Outcome.FAILED:
            head = f"{finding.severity}: {finding.reason or 'does not hold'}"
            return Case(finding.check, failure="\n".join([head, *map(row_in_words, finding.evidence)]))
        case Outcome.UNKNOWN:
            return Case(finding.check, error=finding.reason or "could not be told")
    return Case(finding.check, said=finding.reason and f"{finding.outcome}: {finding.reason}")


def row_in_words(row: FailingRow) -> str:
    """Return which row it is and what stands in it, on one line."""
    place = " ".join(part for part in (row.file, "" if row.number is None else f"row {row.number}") if part)
    cells = ", ".join(f"{cell.column}={_shown(cell.text)}" for cell in (*row.keys, *row.cells))
    return f"{place}: {cells}" if place else cells


def _shown(text: str | None) -> str:
    return "null" if text is None else repr(text)
