"""What is kept of runs is bounded, and compared with is the last good one alone."""

from __future__ import annotations

from zen_agents.datasets.finding import Finding, Outcome, Profile, Report
from zen_agents.datasets.history import KEPT_SECONDS, MOST_RUNS, History
from zen_agents.datasets.plain import history_from_plain, history_to_plain
from zen_agents.model.severity import Severity


def report(at: float, outcome: Outcome, *, checks: int = 1) -> Report:
    found = [Finding(f"c{n}", "unique", (), outcome, Severity.ERROR, 1, 9) for n in range(checks)]
    return Report("orders", "/srv", at, int(at), tuple(found), profile=Profile(int(at)))


def test_runs_are_bounded_by_number_and_by_age() -> None:
    history = History()
    for at in range(MOST_RUNS + 5):
        history = history.after(report(at, Outcome.PASSED))
    assert (len(history.runs), history.runs[0].rows) == (MOST_RUNS, 5)
    assert [run.rows for run in history.after(report(KEPT_SECONDS + 104, Outcome.PASSED)).runs[:2]] == [104, 7776104]


def test_a_run_that_was_not_good_is_kept_and_not_compared_with() -> None:
    history = History().after(report(1, Outcome.PASSED)).after(report(2, Outcome.FAILED, checks=30))
    assert (history.good, history.good_at) == (Profile(1), 1)
    last = history.runs[-1]
    assert (last.outcome, last.failed, len(last.named)) == (Outcome.FAILED, 30, 10)
    assert history_from_plain(history_to_plain(history)) == history
