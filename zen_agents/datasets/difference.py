"""What differs between two data sets. All texts that come from the data are untrusted."""

from __future__ import annotations

from enum import StrEnum

from zen_agents.dataclass import dataclass
from zen_agents.datasets.finding import Cell


class RowChange(StrEnum):
    """What happened to a row from the first to the second."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """One such row: its key, and of a changed one what differs, first and second."""

    change: RowChange
    keys: tuple[Cell, ...]
    before: tuple[Cell, ...] = ()
    after: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeChange:
    """A column that holds another kind of value, as the sources say it."""

    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChangedColumn:
    """In how many rows with the same key a column has another value."""

    column: str
    rows: int


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a column's distribution has moved; `datasets.movement` says by which formulas."""

    column: str
    #: Population stability index: over ten bins of the first for numbers, over values for everything else.
    psi: float
    #: The largest distance of the two distribution functions (Kolmogorov and Smirnov); None for what is no number.
    ks: float | None = None
    #: Half of the sum of how much each value's share changed; None for numbers.
    shares: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """From the first to the second."""

    before: str
    after: str
    rows_before: int
    rows_after: int
    #: What rows are matched by; () by all that they hold, so that none is changed.
    key: tuple[str, ...] = ()
    removed_columns: tuple[str, ...] = ()
    added_columns: tuple[str, ...] = ()
    types: tuple[TypeChange, ...] = ()
    added: int = 0
    removed: int = 0
    changed: int = 0
    columns: tuple[ChangedColumn, ...] = ()
    #: The first rows of each change; bounded by `Limits.evidence_rows`.
    rows: tuple[ChangedRow, ...] = ()
    #: The columns both have but for the key, the most moved first; the others, if there are too many, are counted.
    moved: tuple[Moved, ...] = ()
    not_measured: int = 0

    @property
    def is_same(self) -> bool:
        """Tell whether columns and rows are the same, however they are written and in whichever order."""
        return not (self.removed_columns or self.added_columns or self.added or self.removed or self.changed)
