"""What differs between databases when the same is asked of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.questions import Value
from zen_agents.datasets.sql import Sql, listed, sql, value

#: Types whose values are numbers.
NUMERIC = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL})
#: Types whose values are moments.
TEMPORAL = frozenset({ColumnType.DATE, ColumnType.TIMESTAMP})
#: How many parts of a distribution are told: minimum, nine deciles, maximum.
QUANTILES = tuple(part / 10 for part in range(11))
#: Why SQLite tells no drift by quantiles.
NO_QUANTILES = "SQLite knows no quantiles; ask for drift by shares"


class UnsaidError(Exception):
    """The database has no way to say it; the message says what to ask instead."""


class Dialect(ABC):
    """One database's way to say things. Every piece is an expression that may stand in a query of that database."""

    #: What stands for a value in a text.
    placeholder: ClassVar[str] = "?"
    #: Names of the types that a text is cast to, to be compared with a column of the type.
    casts: ClassVar[dict[ColumnType, str]]

    @abstractmethod
    def family(self, stored: str) -> ColumnType:
        """Return what a column of the database's own type holds."""

    @abstractmethod
    def reads(self, raw: Sql, stored: ColumnType, wanted: ColumnType, form: str) -> Sql:
        """Return a column's value as the wanted type, null where it does not read as that; `raw` where nothing is to do."""

    @abstractmethod
    def text(self, given: Sql, held: ColumnType) -> Sql:
        """Return a value as text."""

    @abstractmethod
    def matches(self, text: Sql, pattern: str) -> Sql:
        """Return whether a whole text matches a regular expression."""

    @abstractmethod
    def seconds(self, moment: Sql, held: ColumnType) -> Sql:
        """Return a moment as seconds since the epoch; one without a zone is in UTC."""

    @abstractmethod
    def fingerprint(self, values: Sequence[Sql]) -> Sql:
        """Return one value, the same for the same values (null is the same as null), and but for chance only for them."""

    @property
    @abstractmethod
    def quantiles(self) -> Sequence[Callable[[Sql], Sql]]:
        """Return what makes the aggregate of a number for each of `QUANTILES`; UnsaidError where there is no such thing."""

    def bound(self, given: Value, held: ColumnType) -> Sql:
        """Return a value that was written in a contract, to be compared with a column of this type."""
        if held is ColumnType.TEXT:
            return value(str(given))
        if isinstance(given, str) and held in self.casts:
            return sql(f"CAST({{}} AS {self.casts[held]})", value(given))
        return value(given)

    @abstractmethod
    def exact(self, given: Sql) -> Sql:
        """Return what is the same for values that are the same to the byte, and for no others."""

    def differs(self, one: Sql, other: Sql) -> Sql:
        """Return whether two values are not the same to the byte; null is the same as null."""
        return sql("({} IS DISTINCT FROM {})", self.exact(one), self.exact(other))

    def length(self, text: Sql) -> Sql:
        """Return how many characters a text has."""
        return sql("length({})", text)

    def shown(self, given: Sql, held: ColumnType, most: int) -> Sql:
        """Return a value as text of at most so many characters."""
        return sql(f"substr({{}}, 1, {most})", self.text(given, held))

    def count_if(self, condition: Sql) -> Sql:
        """Return the aggregate of rows for which a condition is true."""
        return sql("count(CASE WHEN {} THEN 1 END)", condition)

    def count_distinct(self, values: Sequence[Sql]) -> Sql:
        """Return the aggregate of different values, or of rows of them, none of which is null.

        It may be less than there are by chance, never more: if it is all of them, no two are the same.
        """
        if len(values) == 1:
            return sql("count(DISTINCT {})", values[0])
        there = sql(" AND ".join("{} IS NOT NULL" for _ in values), *values)
        return sql("count(DISTINCT CASE WHEN {} THEN {} END)", there, self.fingerprint(values))


def in_list(given: Sql, values: Sequence[Sql]) -> Sql:
    """Return whether a value is one of these; null for null."""
    return sql("{} IN ({})", given, listed(values))
