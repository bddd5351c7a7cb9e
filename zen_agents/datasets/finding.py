"""What came of looking at a data set. All texts that come from the data are untrusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from zen_agents.dataclass import dataclass
from zen_agents.model.severity import Severity


class Outcome(StrEnum):
    """What a check came to. UNKNOWN is never fine: it could not be told, and why stands beside it."""

    PASSED = "passed"
    #: Rows failed, and no more than may.
    TOLERATED = "tolerated"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a row, as text; None is null. Cut to `MOST_TEXT` characters."""

    column: str
    text: str | None


@dataclass(frozen=True, slots=True)
class FailingRow:
    """A row that failed: which one it is, and what stands in the columns that the check is about."""

    #: Of all rows of its file, from 1, without the header; None where rows have no number (a database).
    number: int | None
    #: Where it lies, if the data set has several files.
    file: str = ""
    keys: tuple[Cell, ...] = ()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check of the contract came to."""

    #: `Check.name`, `Question.kind` and the columns that the question names.
    check: str
    kind: str
    columns: tuple[str, ...]
    outcome: Outcome
    severity: Severity
    #: So many of so many rows failed; of a question about all rows at once 0 or 1 of 1.
    count: int = 0
    total: int = 0
    #: The first failing rows; bounded by `Limits.evidence_rows`.
    evidence: tuple[FailingRow, ...] = ()
    #: One sentence for people: what is wrong, or why it could not be told.
    reason: str = ""
    #: What was measured, where the question is about a number: rows, seconds of age, how far it drifted.
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a column's values is this one; `text` None is what is left of the rarer ones."""

    text: str | None
    share: float


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """How a column is spread, to compare the next run with."""

    column: str
    #: Minimum, nine deciles, maximum; () for what is no number.
    quantiles: tuple[float, ...] = ()
    #: The most frequent values first.
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One file of several, by its path, and how many rows it has."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a good run leaves for the next ones to be compared with."""

    rows: int
    columns: tuple[ColumnProfile, ...] = ()
    #: Of a data set that is asked for its files.
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One run over one data set."""

    dataset: str
    #: Where the data lies, in words.
    place: str
    #: Seconds since the epoch.
    started_at: float
    #: None if it could not be read.
    rows: int | None
    findings: tuple[Finding, ...]
    #: What could not be looked at at all, and why; "" if everything could.
    unknown: str = ""
    #: How often the data was gone through, and how long all took.
    passes: int = 0
    seconds: float = 0.0
    profile: Profile | None = None

    @property
    def outcome(self) -> Outcome:
        """Return the worst of all."""
        return worst([*(finding.outcome for finding in self.findings), *([Outcome.UNKNOWN] if self.unknown else [])])

    @property
    def failed(self) -> tuple[Finding, ...]:
        """Return the findings that failed, the worst first."""
        failed = (finding for finding in self.findings if finding.outcome is Outcome.FAILED)
        return tuple(sorted(failed, key=lambda finding: -finding.severity.rank))

    @property
    def is_good(self) -> bool:
        """Tell whether the next runs may be compared with this one: all was told, and nothing failed."""
        return self.outcome in (Outcome.PASSED, Outcome.TOLERATED)


#: What is told first.
_WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.TOLERATED, Outcome.PASSED)


def worst_first(findings: Iterable[Finding]) -> Sequence[Finding]:
    """Return what failed first, the worst of it at the top."""
    return sorted(findings, key=lambda each: (_WORST_FIRST.index(each.outcome), -each.severity.rank))


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst of all: a failure before what could not be told, that before what is tolerated."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.PASSED)


#: A cell that is shown is cut to so many characters.
MOST_TEXT = 200
