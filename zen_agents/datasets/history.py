"""What earlier runs over a data set came to: a bounded trend, and how the last good one found the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.datasets.finding import Outcome, Profile, Report

#: So many runs are kept, and none that is older (seconds).
MOST_RUNS: Final = 100
KEPT_SECONDS: Final = 90 * 86400.0
#: So many failed checks of a run are named; how many there were is kept as well.
_MOST_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Failed:
    """A check that failed, and of how many rows."""

    check: str
    count: int
    total: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run, without anything that stands in the rows."""

    #: Seconds since the epoch.
    started_at: float
    outcome: Outcome
    #: None if the data could not be read.
    rows: int | None
    seconds: float = 0.0
    #: How many checks failed, and the first of them.
    failed: int = 0
    named: tuple[Failed, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The runs of one data set, the oldest first. A run that was not good leaves no profile."""

    runs: tuple[Run, ...] = ()
    good: Profile | None = None
    #: When that was (seconds since the epoch).
    good_at: float | None = None

    def after(self, report: Report) -> History:
        """Return it with one run more, and without what is too old or too much."""
        oldest = report.started_at - KEPT_SECONDS
        kept = [run for run in self.runs if run.started_at >= oldest]
        grown = replace(self, runs=tuple([*kept, _run(report)][-MOST_RUNS:]))
        if not report.is_good or report.profile is None:
            return grown
        return replace(grown, good=report.profile, good_at=report.started_at)


@dataclass(frozen=True, slots=True)
class Seen:
    """A run over one data set, and what was known before it."""

    report: Report
    history: History = History()


def _run(report: Report) -> Run:
    failed = report.failed
    named = tuple(Failed(each.check, each.count, each.total) for each in failed[:_MOST_NAMED])
    return Run(report.started_at, report.outcome, report.rows, report.seconds, len(failed), named)
