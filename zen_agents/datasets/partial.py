"""What a look at some of the rows says of all of them."""

from __future__ import annotations

from dataclasses import replace

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Finding, Outcome, Report
from zen_agents.datasets.questions import Fresh, HasColumns, Readable
from zen_agents.datasets.taking_out import OF_ROWS

#: What no row that is left out could change.
_ANYWAY = (*OF_ROWS, Fresh, HasColumns, Readable)


def of_some_rows(report: Report, contract: Contract, left_out: int) -> Report:
    """Return a report for which so many lines were left out that are no rows.

    What fails without them fails. What asks about all rows together (keys, numbers, drift) and holds without them is
    unknown.
    """
    asked = {check.name: check.asks for check in contract.checks}

    def told(finding: Finding) -> Finding:
        if isinstance(asked[finding.check], _ANYWAY) or finding.outcome not in (Outcome.PASSED, Outcome.TOLERATED):
            return finding
        return replace(finding, outcome=Outcome.UNKNOWN, reason=f"{left_out:,} lines are no rows; it holds without them")

    return replace(report, findings=tuple(map(told, report.findings)))
