"""A report is as bad as its worst finding, and what could not be told is never good."""

from __future__ import annotations

import json

import pytest

from zen_agents.datasets.finding import (
    Cell,
    ColumnProfile,
    FailingRow,
    Finding,
    Outcome,
    Profile,
    Report,
    Share,
)
from zen_agents.datasets.plain import MalformedDatasetError, report_from_plain, report_to_plain
from zen_agents.model.severity import Severity


def _finding(outcome: Outcome, severity: Severity = Severity.ERROR) -> Finding:
    row = FailingRow(7, "/srv/a.csv", (Cell("id", "1"),), (Cell("amount", None),))
    return Finding("not_null.a", "not_null", ("a",), outcome, severity, 1, 9, (row,), "1 of 9 rows", 2.5)


def _report(*findings: Finding, unknown: str = "") -> Report:
    profile = Profile(9, (ColumnProfile("a", (1.0, 2.0), (Share("x", 0.9), Share(None, 0.1))),))
    return Report("orders", "/srv/a.csv", 1.5, 9, findings, unknown, 1, 0.5, profile)


@pytest.mark.parametrize(
    ("outcomes", "unknown", "worst"),
    [
        ((), "", Outcome.PASSED),
        ((Outcome.PASSED, Outcome.TOLERATED), "", Outcome.TOLERATED),
        ((Outcome.TOLERATED, Outcome.UNKNOWN), "", Outcome.UNKNOWN),
        ((Outcome.UNKNOWN, Outcome.FAILED), "", Outcome.FAILED),
        ((Outcome.PASSED,), "the database is away", Outcome.UNKNOWN),
    ],
)
def test_the_worst_counts(outcomes: tuple[Outcome, ...], unknown: str, worst: Outcome) -> None:
    report = _report(*map(_finding, outcomes), unknown=unknown)
    assert report.outcome is worst
    assert report.is_good is (worst in (Outcome.PASSED, Outcome.TOLERATED))


def test_the_worst_failure_stands_first() -> None:
    mild, bad = _finding(Outcome.FAILED, Severity.INFO), _finding(Outcome.FAILED, Severity.CRITICAL)
    assert _report(mild, _finding(Outcome.PASSED), bad).failed == (bad, mild)


def test_a_report_is_the_same_on_the_other_side() -> None:
    report = _report(_finding(Outcome.FAILED), unknown="why")
    assert report_from_plain(json.loads(json.dumps(report_to_plain(report)))) == report
    with pytest.raises(MalformedDatasetError, match=r"findings"):
        report_from_plain({**report_to_plain(report), "findings": 3})
