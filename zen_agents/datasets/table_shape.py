"""What a table is, as its database says: columns, what names a row, and what a change of its rows would bring along."""

from __future__ import annotations

from collections.abc import Mapping

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.sql import Sql, name, sql


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table whose rows may be changed."""

    #: The table, quoted.
    relation: Sql
    #: Every column, and what it holds.
    columns: Mapping[str, ColumnType]
    #: The type that a column has in its database, as a cast writes it; where columns have no types, nothing.
    types: Mapping[str, str]
    #: Columns that name a row for good: the primary key, or a unique one that always has a value; () if there is none.
    key: tuple[str, ...]
    #: Where a row stands while the transaction lasts, each an expression.
    address: tuple[Sql, ...]
    #: Columns that the database computes.
    computed: frozenset[str] = frozenset()
    #: Triggers that a change of a row would start, by name.
    triggers: tuple[str, ...] = ()
    #: Tables whose rows go, or lose what they refer to, when a row here goes.
    takes_along: tuple[str, ...] = ()
    #: Columns whose change would change rows of other tables.
    followed: frozenset[str] = frozenset()
    #: Columns whose values the database gives, and lets nobody change.
    assigned: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns by which a row is found again: its key, else all of them."""
        return self.key or tuple(self.columns)

    @property
    def insertable(self) -> tuple[str, ...]:
        """Return the columns that a row is given."""
        return tuple(column for column in self.columns if column not in self.computed)

    @property
    def finds_whole_rows(self) -> bool:
        """Tell whether a row of which all is known that it was given is found by its key."""
        return bool(self.key) and set(self.key) <= set(self.insertable)

    def typed(self, column: str, given: Sql) -> Sql:
        """Return a value as one of the type that a column is stored as."""
        stored = self.types.get(column)
        return sql(f"CAST({{}} AS {stored})", given) if stored else given

    def text(self, column: str, alias: str = "") -> Sql:
        """Return what stands in a column as it is kept for undo: as text where columns have types, else as it is."""
        at = sql(f"{alias}.{{}}", name(column)) if alias else name(column)
        return sql("CAST({} AS text)", at) if self.types else at
