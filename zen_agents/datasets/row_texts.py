"""How DuckDB writes one row as a text: as it stood before its repair, and as it is to stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.sql import Sql, joined, listed, sql, value

_NUMBERS: Final = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL, ColumnType.BOOLEAN})

_NO_MEMBER: Final = sql("CAST({} AS JSON)", value("{}"))

#: Every column of a row, and what it holds.
Row = Mapping[str, Sql]


class RowTexts(Protocol):
    """One kind of file."""

    def before(self, row: Row) -> Sql:
        """Return the row as it stood there, or as one that reads the same."""
        ...

    def after(self, before: Row, row: Row) -> Sql:
        """Return the repaired row as it is to stand there, or what of it becomes another."""
        ...


@dataclass(frozen=True, slots=True)
class DelimitedRows:
    """CSV and its kin: quotes stand only where they have to."""

    delimiter: str
    quote: str
    escape: str
    #: What stands for a missing value.
    null: str

    def before(self, row: Row) -> Sql:
        return sql("concat_ws({}, {})", value(self.delimiter), listed([self._cell(each) for each in row.values()]))

    def after(self, before: Row, row: Row) -> Sql:
        del before
        return self.before(row)

    def _cell(self, cell: Sql) -> Sql:
        special = dict.fromkeys((self.delimiter, self.quote, self.escape, "\n", "\r"))
        needs = joined(" OR ", [sql("contains({}, {})", cell, value(each)) for each in special])
        inner = cell
        for each in dict.fromkeys((self.escape, self.quote)):
            inner = sql("replace({}, {}, {})", inner, value(each), value(self.escape + each))
        mark = value(self.quote)
        return sql(
            "CASE WHEN {} IS NULL THEN {} WHEN {} THEN {} || {} || {} ELSE {} END",
            cell, value(self.null), needs, mark, inner, mark, cell,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A line of JSON. What is repaired in it is an object of its own: its other parts stay the very text that they are."""

    contract: Contract
    #: The column with all of the line.
    line: str

    def before(self, row: Row) -> Sql:
        return row[self.line]

    def after(self, before: Row, row: Row) -> Sql:
        changing = [column for column in row if before[column] != row[column]]
        patches = [self._patch(column, before[column], row[column]) for column in changing]
        return sql("CAST(json_merge_patch({}) AS VARCHAR)", listed([_NO_MEMBER, _NO_MEMBER, *patches]))

    def _patch(self, column: str, before: Sql, made: Sql) -> Sql:
        written = sql("to_json({})", made)
        if self.contract.column(column).type in _NUMBERS:
            written = sql("CASE WHEN json_valid({}) THEN CAST({} AS JSON) ELSE to_json({}) END", made, made, made)
        return sql(
            "CASE WHEN {} IS DISTINCT FROM {} THEN json_object({}, {}) ELSE {} END",
            before, made, value(column), written, _NO_MEMBER,
        )  # fmt: skip


class Objects:
    """Rows that are no text, as an object of JSON: for people to read."""

    def before(self, row: Row) -> Sql:
        pairs = [part for column, cell in row.items() for part in (value(column), cell)]
        return sql("CAST(json_object({}) AS VARCHAR)", listed(pairs))

    def after(self, before: Row, row: Row) -> Sql:
        del before
        return self.before(row)
