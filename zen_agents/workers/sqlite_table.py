"""A table of an SQLite database that is repaired: one transaction, in which others can read until it ends."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from zen_agents.datasets.dialects.sqlite import FUNCTIONS
from zen_agents.datasets.dialects.sqlite_mending import MENDING_FUNCTIONS, SqliteMending
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.table_rewriting import TableRewriting
from zen_agents.datasets.table_shape import TableShape
from zen_agents.workers.sqlite_rows import SqliteRows
from zen_agents.workers.sqlite_shape import shape_of
from zen_agents.workers.table_session import Address, Changed, Values

#: Since then a change says what it has changed.
_OLDEST: Final = (3, 35, 0)
#: A text of bytes that are no UTF-8, and a blob, as JSON can say them.
_TEXT, _BLOB = "text", "blob"


class SqliteTable(SqliteRows):
    """See `TableSession`."""

    _mode: ClassVar = "rw"
    # Keys are looked after even where whoever else writes it does not.
    _settings: ClassVar[Sequence[str]] = (
        "trusted_schema = OFF", "cell_size_check = ON", "foreign_keys = ON", "synchronous = FULL",
    )  # fmt: skip
    _functions: ClassVar = {**FUNCTIONS, **MENDING_FUNCTIONS}
    mending = SqliteMending()
    mark = ""

    def shape(self, source: Source) -> TableShape:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise BackendError(f"SQLite {sqlite3.sqlite_version} does not say what a change has changed; it takes 3.35")
        self._connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        return shape_of(source.table, self.rows, self.dialect)

    def begin_changing(self, seconds: float) -> None:
        self._until = min(self._until, time.monotonic() + seconds)

    def plain(self, values: Sequence[Any]) -> Values:
        return _plain(values)

    def update(self, rows: TableRewriting, addresses: Iterable[Address]) -> Iterator[Changed]:
        shape, made = rows.shape, rows.made()
        told = listed([name(each) for each in (*shape.names, *made)])
        for address in addresses:
            at = _stands(shape, address)
            before = self.rows(sql("SELECT {} FROM {} WHERE {}", listed([name(each) for each in made]), shape.relation, at))
            sets = listed([sql("{} = {}", name(each), new) for each, new in made.items()])
            found = self.rows(sql("UPDATE {} SET {} WHERE {} RETURNING {}", shape.relation, sets, at, told))
            width = len(shape.names)
            for row, was in zip(found, before, strict=False):
                yield Changed(*(_plain(each) for each in (row[:width], was, row[width:])))

    def delete(self, shape: TableShape, rows: Iterable[tuple[Address, str]]) -> Iterator[tuple[str, Values]]:
        given = listed([name(each) for each in shape.insertable])
        for address, told in rows:
            at = _stands(shape, address)
            for row in self.rows(sql("DELETE FROM {} WHERE {} RETURNING {}", shape.relation, at, given)):
                yield told, _plain(row)

    def put_back(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        return [self._put_back(shape, cells, each) for each in rows]

    def _put_back(self, shape: TableShape, cells: Sequence[str], row: Changed) -> bool:
        sets = listed([sql("{} = {}", name(cells[at]), _given(row.before[at])) for at in _own(row)])
        where = _first(shape, _as_left(shape, cells, row))
        told = self.rows(sql("UPDATE {} SET {} WHERE {} RETURNING 1", shape.relation, sets, where))
        return bool(told)

    def insert(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[bool]:
        names = listed([name(each) for each in shape.insertable])
        told = []
        for row in rows:
            given = listed([_given(each) for each in row])
            query = sql("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING 1", shape.relation, names, given)
            told.append(bool(self.rows(query)))
        return told

    def are_there(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        asked = (_as_left(shape, cells, each) for each in rows)
        return [bool(self.rows(sql("SELECT 1 FROM {} WHERE {} LIMIT 1", shape.relation, each))) for each in asked]

    def alike(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[int]:
        counted = (
            self.rows(sql("SELECT count(*) FROM {} WHERE {}", shape.relation, _is_there(shape.insertable, each)))
            for each in rows
        )
        return [int(found[0][0]) for found in counted]

    def commit(self) -> None:
        """Wait for readers as long as rows may be locked; what cannot be made final by then never is."""
        while True:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > self._until:
                    raise self._failure(error) from error
            except sqlite3.Error as error:
                raise self._failure(error) from error
            else:
                return


def _stands(shape: TableShape, address: Address) -> Sql:
    return joined(" AND ", [sql("{} IS {}", at, _given(each)) for at, each in zip(shape.address, address, strict=True)])


def _is_there(columns: Sequence[str], held: Values) -> Sql:
    pairs = zip(columns, held, strict=True)
    return joined(" AND ", [sql("{} IS {} COLLATE BINARY", name(column), _given(each)) for column, each in pairs])


def _own(row: Changed) -> Sequence[int]:
    """Return which cells the repair has changed: others may be somebody else's by now."""
    return [at for at, (before, after) in enumerate(zip(row.before, row.after, strict=True)) if before != after]


def _as_left(shape: TableShape, cells: Sequence[str], row: Changed) -> Sql:
    own = _own(row)
    return _is_there([*shape.names, *(cells[at] for at in own)], [*row.name, *(row.after[at] for at in own)])


def _first(shape: TableShape, there: Sql) -> Sql:
    """Return the condition that a row is the first of those of which another one holds: some rows may be alike."""
    return sql("({}) = (SELECT {} FROM {} WHERE {} LIMIT 1)", listed(shape.address), listed(shape.address),
                shape.relation, there)  # fmt: skip


def _plain(row: Sequence[Any]) -> Values:
    return [_as_json(each) for each in row]


def _as_json(given: Any) -> Any:
    if isinstance(given, bytes):
        return {_BLOB: base64.b64encode(given).decode()}
    if isinstance(given, str) and not given.isascii():
        raw = given.encode("utf-8", "surrogateescape")
        try:
            raw.decode()
        except UnicodeDecodeError:
            return {_TEXT: base64.b64encode(raw).decode()}
    return given


def _given(plain: Any) -> Sql:
    if not isinstance(plain, Mapping):
        return value(plain)
    ((kind, held),) = plain.items()
    raw = Sql((f"x'{base64.b64decode(held).hex()}'",))
    return sql("CAST({} AS TEXT)", raw) if kind == _TEXT else raw
