"""`expect:` what has to hold of a data set. One entry may ask several things of the same columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from zen_agents.agents.data_validation.parts import Parts
from zen_agents.datasets import questions as ask
from zen_agents.datasets.contract import Check, ColumnType, Tolerance, name_of
from zen_agents.datasets.expression import ExpressionError, condition
from zen_agents.model.quantities import format_percent, parse_percent
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Name, Percent, PositiveDuration, Regex
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity

#: The name of a column, whatever it is.
ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]
_Bound = bool | int | float | str


def parse_tolerance(value: object) -> Tolerance:
    """Return what `5` (rows) or `0.1%` (of all rows) says."""
    if isinstance(value, Tolerance):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Tolerance(rows=value)
    if isinstance(value, int):
        raise refuse("range", "is a number of rows, or a share of them like 0.1%")
    return Tolerance(share=parse_percent(value) / 100)


def _written(tolerance: Tolerance) -> Any:
    return format_percent(tolerance.share * 100) if tolerance.share else tolerance.rows


Tolerated = Annotated[
    Tolerance,
    BeforeValidator(parse_tolerance),
    PlainSerializer(_written, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)? *%$"}]}),
]


def check_condition(text: str) -> str:
    """Return a condition in SQL if it is one and nothing else."""
    try:
        condition(text)
    except ExpressionError as error:
        raise refuse("text", str(error), label="here", offset=error.offset) from None
    return text


def _pair(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) == 2 and any(each is not None for each in value):
        return value
    raise refuse("range", "is a list of two, the least and the most; null for no bound")


def _in_order(pair: tuple[_Bound | None, _Bound | None]) -> tuple[_Bound | None, _Bound | None]:
    _refuse_none_between(*pair)
    return pair


def _refuse_none_between(least: _Bound | None, most: _Bound | None, at: str = "") -> None:
    """Refuse bounds between which no number is; texts are in an order that only their column's type tells."""
    if isinstance(least, (int, float)) and isinstance(most, (int, float)) and least > most:
        raise refuse("range", f"has nothing in it: the least, {least}, is more than the most, {most}", at=at)


Pair = Annotated[tuple[_Bound | None, _Bound | None], BeforeValidator(_pair), AfterValidator(_in_order)]
Lengths = Annotated[tuple[int | None, int | None], BeforeValidator(_pair), AfterValidator(_in_order)]
Conditional = Annotated[str, AfterValidator(check_condition)]


class Counted(Section):
    """`row_count:`."""

    min: int = Field(0, ge=0, description="at least so many rows")
    max: int | None = Field(None, ge=0, description="at most so many rows")

    @model_validator(mode="after")
    def _possible(self) -> Counted:
        _refuse_none_between(self.min, self.max, "max")
        return self


class Change(Section):
    """`row_count_change:` since the last good run."""

    fall: Percent | None = Field(None, description="by at most this share fewer rows")
    growth: float | None = Field(None, ge=0, description="at most so many times more rows: 0.5 is half as many again")


class Elsewhere(Section):
    """`references:` the data set that has every key."""

    dataset: Name = Field(description="a data set of this configuration")
    column: ColumnName | None = Field(None, description="its column")
    columns: tuple[ColumnName, ...] = Field((), description="its columns, in the order of those here")


class Drifting(Section):
    """`drift:` how far a column may move from how it was at the last good run."""

    shares: float | None = Field(None, gt=0, le=1, description="how much of the rows may have another value: 0.2 is a fifth")
    quantiles: float | None = Field(
        None, gt=0, description="by how much deciles may move, in the distance between the first and the ninth"
    )


class Comparing(Section):
    """`compare:` with another column of the row."""

    less_than: ColumnName | None = Field(None, description="it is less than that column")
    at_most: ColumnName | None = Field(None, description="it is at most that column")
    equal_to: ColumnName | None = Field(None, description="it is equal to that column")
    not_equal_to: ColumnName | None = Field(None, description="it is not equal to that column")
    at_least: ColumnName | None = Field(None, description="it is at least that column")
    more_than: ColumnName | None = Field(None, description="it is more than that column")


_SIGNS: dict[str, ask.Comparison] = {
    "less_than": "<", "at_most": "<=", "equal_to": "=", "not_equal_to": "!=", "at_least": ">=", "more_than": ">",
}  # fmt: skip


class Expectation(Section):
    """One entry: of which column or columns, what has to hold, and how far it may not."""

    column: ColumnName | None = Field(None, description="the column that all of this is about")
    columns: tuple[ColumnName, ...] = Field((), max_length=50, description="several columns that are a key together")
    type: ColumnType | None = Field(None, description="every value of the column reads as this")
    not_null: bool = Field(False, description="true: every row has a value")
    unique: bool = Field(False, description="true: no two rows have the same value, or key")
    between: Pair | None = Field(None, description="the least and the most, like [0, 100]; null for no bound")
    above: _Bound | None = Field(None, description="more than this")
    below: _Bound | None = Field(None, description="less than this")
    one_of: tuple[_Bound, ...] = Field((), max_length=10_000, description="every value is one of these")
    none_of: tuple[_Bound, ...] = Field((), max_length=10_000, description="no value is one of these")
    matches: Regex | None = Field(None, description="regular expression that matches the whole of every value")
    length: Lengths | None = Field(None, description="the least and the most number of characters, like [2, 2]")
    compare: Comparing | None = Field(None, description="how it stands to another column of its row")
    references: Elsewhere | None = Field(None, description="every value, or key, is one of another data set")
    drift: Drifting | None = Field(None, description="how far it may have moved since the last good run")
    fresh_within: PositiveDuration | None = Field(None, description="the latest value of the column is no older")
    row_count: Counted | None = Field(None, description="how many rows there are")
    row_count_change: Change | None = Field(None, description="how much that changed since the last good run")
    partitions: Parts | None = Field(None, description="which of several files are there, and how many rows each has")
    no_duplicates: bool = Field(False, description="true: no row is the same as another in every column")
    holds: Conditional | None = Field(None, description="condition in SQL over the columns of a row, true for each")
    name: Name | None = Field(None, description="what it is called in reports; empty: after what it asks")
    tolerate: Tolerated | None = Field(None, description="so many rows may fail: a number, or a share like 0.1%")
    severity: Severity | None = Field(None, description="info | warning | error | critical; empty: that of the data set")

    @model_validator(mode="after")
    def _sensible(self) -> Expectation:
        if self.column is not None and self.columns:
            raise refuse("conflict", "stands beside `column`; write one of them", at="columns", see="column")
        of_column = [key for key in _OF_COLUMN if getattr(self, key) not in (None, False, ())]
        if of_column and self.column is None:
            raise refuse("conflict", "says nothing of which column: write `column: NAME` beside it", at=of_column[0])
        if (self.unique or self.references is not None) and not self.key:
            raise refuse("conflict", "needs a `column`, or `columns`", at="unique" if self.unique else "references")
        _refuse_none_between(self.above, self.below, "below")
        if not list(self.asks()):
            raise refuse("one_of", "asks nothing; write what has to hold, like `not_null: true`")
        return self

    @property
    def key(self) -> tuple[str, ...]:
        """Return the columns that it is about."""
        return self.columns or ((self.column,) if self.column is not None else ())

    def asks(self) -> Iterator[ask.Question]:
        """Yield each question in it."""
        if self.column is not None:
            yield from self._of_column(self.column)
        if self.unique:
            yield ask.Unique(self.key)
        if self.references is not None:
            theirs = self.references.columns or (
                (self.references.column,) if self.references.column is not None else self.key
            )
            yield ask.References(self.key, self.references.dataset, theirs)
        if self.row_count is not None:
            yield ask.RowCount(self.row_count.min, self.row_count.max)
        if self.row_count_change is not None:
            fall = self.row_count_change.fall
            yield ask.RowCountChange(None if fall is None else fall / 100, self.row_count_change.growth)
        if self.partitions is not None:
            yield self.partitions.asks()
        if self.no_duplicates:
            yield ask.NoDuplicates()
        if self.holds is not None:
            yield ask.Holds(self.holds)

    def _of_column(self, column: str) -> Iterator[ask.Question]:
        if self.type is not None:
            yield ask.OfType(column)
        if self.not_null:
            yield ask.NotNull(column)
        if self.between is not None:
            yield ask.Between(column, *self.between)
        if self.above is not None or self.below is not None:
            yield ask.Between(column, self.above, self.below, strict=True)
        if self.one_of:
            yield ask.OneOf(column, self.one_of)
        if self.none_of:
            yield ask.NoneOf(column, self.none_of)
        if self.matches is not None:
            yield ask.Matches(column, self.matches)
        if self.length is not None:
            yield ask.Length(column, self.length[0] or 0, self.length[1])
        yield from self._moved_or_compared(column)

    def _moved_or_compared(self, column: str) -> Iterator[ask.Question]:
        for word, sign in _SIGNS.items():
            if self.compare is not None and (other := getattr(self.compare, word)) is not None:
                yield ask.Compared(column, sign, other)
        if self.drift is not None and self.drift.shares is not None:
            yield ask.Drift(column, "shares", self.drift.shares)
        if self.drift is not None and self.drift.quantiles is not None:
            yield ask.Drift(column, "quantiles", self.drift.quantiles)
        if self.fresh_within is not None:
            yield ask.Fresh(self.fresh_within.total_seconds(), column)

    def checks(self, tolerance: Tolerance, severity: Severity, origin: str) -> Iterator[Check]:
        """Yield its checks; what it does not say itself is as the data set says."""
        asked = list(self.asks())
        for each in asked:
            name = name_of(each) if self.name is None else self.name if len(asked) == 1 else f"{self.name}.{each.kind}"
            yield Check(each, name, self.tolerate or tolerance, self.severity or severity, origin)


#: What cannot be asked without naming one column.
_OF_COLUMN = (
    "type", "not_null", "between", "above", "below", "one_of", "none_of", "matches", "length", "compare", "drift",
    "fresh_within",
)  # fmt: skip
