"""The columns that questions are about, as one inner SELECT hands them on: read as their types, under names of our own."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.sql import Sql, joined, name, sql
from zen_agents.datasets.table import Table


class MissingColumnError(Exception):
    """The data set has no such column; the message says which it has that is called nearly so."""


class Scope:
    """What the inner SELECT of one query has to hand on; it grows as columns are asked for."""

    def __init__(self, contract: Contract, table: Table, dialect: Dialect) -> None:
        self.contract, self.table, self.dialect = contract, table, dialect
        self._selected: dict[str, Sql] = {}
        self._values: dict[str, Sql] = {}
        self._raws: dict[str, Sql] = {}

    def afresh(self) -> Scope:
        """Return the scope of another query over the same rows."""
        return Scope(self.contract, self.table, self.dialect)

    def held(self, column: str) -> ColumnType:
        """Return as what a column is read: as the contract says, else as the source has it."""
        wanted = self.contract.column(column).type
        return self._stored(column) if wanted is ColumnType.ANY else wanted

    def is_declared(self, column: str) -> bool:
        """Tell whether the contract says what a column holds."""
        return self.contract.column(column).type is not ColumnType.ANY

    def is_checked(self, column: str) -> bool:
        """Tell whether a value may not read as its type at all."""
        return self._read(column) != name(column)

    def is_whole(self, column: str) -> bool:
        """Tell whether a value is a whole number, and kept as one where it is read."""
        kept_otherwise = self._stored(column) in (ColumnType.NUMBER, ColumnType.DECIMAL)
        return self.held(column) is ColumnType.INTEGER and not kept_otherwise

    def raw(self, column: str) -> Sql:
        """Return a column as it is stored."""
        self._stored(column)
        if column not in self._raws:
            self._raws[column] = self._select(f"r{len(self._raws)}", name(column))
        return self._raws[column]

    def value(self, column: str) -> Sql:
        """Return a column as it is read; null where it does not read as its type."""
        if not self.is_checked(column):
            return self.raw(column)
        if column not in self._values:
            self._values[column] = self._select(f"v{len(self._values)}", self._read(column))
        return self._values[column]

    def file(self, place: Sql) -> Sql:
        """Return the file that a row is in."""
        return self._select("file_", place)

    def text(self, column: str) -> Sql:
        """Return the stored value as text."""
        return self.dialect.text(self.raw(column), self._stored(column))

    def shown(self, column: str, most: int) -> Sql:
        """Return the stored value as a text for people."""
        return self.dialect.shown(self.raw(column), self._stored(column), most)

    def rows(self, *, besides: Mapping[str, Sql] | None = None) -> Sql:
        """Return the inner SELECT, as it stands behind FROM."""
        selected = self._selected | dict(besides or {})
        columns = [sql(f"{{}} AS {alias}", piece) for alias, piece in selected.items()] or [sql("1 AS one")]
        return sql("(SELECT {} FROM {}) AS rows_", joined(", ", columns), self.table.relation)

    def _read(self, column: str) -> Sql:
        wanted = self.contract.column(column)
        return self.dialect.reads(name(column), self._stored(column), wanted.type, wanted.form)

    def _stored(self, column: str) -> ColumnType:
        try:
            return self.table.columns[column]
        except KeyError:
            raise MissingColumnError(f"there is no column {column!r}{meant(column, self.table.columns)}") from None

    def _select(self, alias: str, piece: Sql) -> Sql:
        self._selected[alias] = piece
        return sql(alias)


def meant(written: str, known: Mapping[str, object]) -> str:
    """Return what may have been meant: `; is it "amount"?`, or nothing."""
    near = get_close_matches(written, known, n=1) or [each for each in known if each.lower() == written.lower()]
    return f"; is it {near[0]!r}?" if near else ""
