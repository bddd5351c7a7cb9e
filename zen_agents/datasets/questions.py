"""What may be asked of a data set. Each question is a value: which columns, and what has to hold of their rows.

A bound is written as the column's type is: a number, or a text that reads as one of its type (`2026-01-31`). Questions about
single rows count the rows for which the answer is no; a null is never such a row, but for `NotNull`.
"""

from __future__ import annotations

from typing import Literal

from zen_agents.dataclass import dataclass

#: What is compared with a column.
Value = bool | int | float | str
Comparison = Literal["<", "<=", "=", "!=", ">=", ">"]
#: How often a file is due.
Period = Literal["hour", "day", "week", "month"]
#: Ways to tell how far a distribution has moved.
DriftMeasure = Literal["quantiles", "shares"]


@dataclass(frozen=True, slots=True)
class Readable:
    """The source can be read to its end and is what it says it is. Asked of every data set."""

    kind: Literal["readable"] = "readable"


@dataclass(frozen=True, slots=True)
class HasColumns:
    """Every column that the contract does not call optional is there; `exact`: and no other."""

    exact: bool = False
    kind: Literal["columns"] = "columns"


@dataclass(frozen=True, slots=True)
class OfType:
    """Every value of the column reads as the type that the contract gives it."""

    column: str
    kind: Literal["type"] = "type"


@dataclass(frozen=True, slots=True)
class NotNull:
    """The column has a value in every row."""

    column: str
    kind: Literal["not_null"] = "not_null"


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows have the same values in all these columns; counts each row that has a twin. A null is equal to nothing."""

    columns: tuple[str, ...]
    kind: Literal["unique"] = "unique"


@dataclass(frozen=True, slots=True)
class NoDuplicates:
    """No row repeats an earlier one in every column; counts the repetitions. Here nulls are equal."""

    kind: Literal["no_duplicates"] = "no_duplicates"


@dataclass(frozen=True, slots=True)
class Between:
    """Every value is at least `least` and at most `most`; None: no bound. `strict`: and neither of them."""

    column: str
    least: Value | None = None
    most: Value | None = None
    strict: bool = False
    kind: Literal["between"] = "between"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Every value is one of these."""

    column: str
    values: tuple[Value, ...]
    kind: Literal["one_of"] = "one_of"


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No value is one of these."""

    column: str
    values: tuple[Value, ...]
    kind: Literal["none_of"] = "none_of"


@dataclass(frozen=True, slots=True)
class Matches:
    """Every value, as text, matches the whole of a regular expression of RE2."""

    column: str
    pattern: str
    kind: Literal["matches"] = "matches"


@dataclass(frozen=True, slots=True)
class Length:
    """Every value, as text, has at least and at most so many characters."""

    column: str
    least: int = 0
    most: int | None = None
    kind: Literal["length"] = "length"


@dataclass(frozen=True, slots=True)
class Compared:
    """In every row in which both have a value, the one column stands so to the other: `shipped >= ordered`."""

    column: str
    comparison: Comparison
    other: str
    kind: Literal["compared"] = "compared"


@dataclass(frozen=True, slots=True)
class References:
    """Every key whose columns all have a value is one of another data set's."""

    columns: tuple[str, ...]
    #: Name of a data set of the same configuration, and its columns.
    dataset: str
    other_columns: tuple[str, ...]
    kind: Literal["references"] = "references"


@dataclass(frozen=True, slots=True)
class RowCount:
    """There are at least and at most so many rows."""

    least: int = 0
    most: int | None = None
    kind: Literal["row_count"] = "row_count"


@dataclass(frozen=True, slots=True)
class RowCountChange:
    """Since the last good run the number of rows fell and grew by no more than these shares (0.2 is a fifth)."""

    fall: float | None = None
    growth: float | None = None
    kind: Literal["row_count_change"] = "row_count_change"


@dataclass(frozen=True, slots=True)
class Partitions:
    """The files are those that are due, and none that was there is gone; their numbers of rows moved no further than said.

    Due is the file of each of the `last` periods that ended `within_seconds` ago: `name`, as strftime writes it.
    """

    name: str = ""
    every: Period = "day"
    last: int = 7
    within_seconds: float = 0.0
    time_zone: str = "UTC"
    #: Since the last good run; of a new file, against what is usual.
    fall: float | None = None
    growth: float | None = None
    kind: Literal["partitions"] = "partitions"


@dataclass(frozen=True, slots=True)
class Fresh:
    """The latest value of the column is not older than this; without a column, the newest file is not."""

    within_seconds: float
    column: str = ""
    kind: Literal["fresh"] = "fresh"


@dataclass(frozen=True, slots=True)
class Drift:
    """The column is spread as at the last good run: `at_most` is the most that quantiles or shares may have moved.

    `shares` is half the sum of how much each value's share changed: 0 for the same, 1 for nothing in common. `quantiles` is
    the mean distance of the deciles, measured in the distance between the last good run's first and ninth.
    """

    column: str
    by: DriftMeasure
    at_most: float
    kind: Literal["drift"] = "drift"


@dataclass(frozen=True, slots=True)
class Holds:
    """A condition in SQL is not false for any row."""

    sql: str
    kind: Literal["holds"] = "holds"


Question = (
    Readable
    | HasColumns
    | OfType
    | NotNull
    | Unique
    | NoDuplicates
    | Between
    | OneOf
    | NoneOf
    | Matches
    | Length
    | Compared
    | References
    | RowCount
    | RowCountChange
    | Partitions
    | Fresh
    | Drift
    | Holds
)


def columns_of(question: Question) -> tuple[str, ...]:
    """Return the columns that a question names; those in the text of a `Holds` are not told."""
    match question:
        case Unique(columns) | References(columns):
            return columns
        case Compared(column, _, other):
            return (column, other)
        case Readable() | HasColumns() | NoDuplicates() | RowCount() | RowCountChange() | Partitions() | Holds():
            return ()
    return (question.column,) if question.column else ()
