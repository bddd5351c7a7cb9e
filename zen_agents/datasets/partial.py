"""What a look at some of the rows says of all of them."""

from __future__ import annotations

from dataclasses import replace

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Finding, Outcome, Report
from zen_agents.datasets.questions import Fresh, HasColumns, Readable, RowCount
from zen_agents.datasets.taking_out import OF_ROWS

#: What no row that is left out could change.
_ANYWAY = (*OF_ROWS, Fresh, HasColumns, Readable)


def no_rows(lines: int) -> str:
    """Return how many lines are no rows, in words."""
    return "1 line is no row" if lines == 1 else f"{lines:,} lines are no rows"


def of_some_rows(report: Report, contract: Contract, left_out: int) -> Report:
    """Return a report for which so many lines were left out that are no rows.

    What fails without them fails. What asks about all rows together (keys, numbers, drift) and holds without them is
    unknown.
    """
    asked = {check.name: check.asks for check in contract.checks}

    def told(finding: Finding) -> Finding:
        question = asked[finding.check]
        if isinstance(question, _ANYWAY) or finding.outcome not in (Outcome.PASSED, Outcome.TOLERATED):
            return finding
        if isinstance(question, RowCount) and (question.most is None or (report.rows or 0) + left_out <= question.most):
            return finding  # whatever they are
        return replace(finding, outcome=Outcome.UNKNOWN, reason=f"{no_rows(left_out)}; it holds without that")

    return replace(report, findings=tuple(map(told, report.findings)))
