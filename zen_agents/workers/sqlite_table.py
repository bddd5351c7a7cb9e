"""A table of an SQLite database that is repaired: one transaction, in which others can read until it ends."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from zen_agents.datasets.dialects.sqlite import FUNCTIONS
from zen_agents.datasets.dialects.sqlite_mending import MENDING_FUNCTIONS, SqliteMending
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql, joined, listed, name, sql
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.table_rewriting import TableRewriting
from zen_agents.datasets.table_shape import TableShape
from zen_agents.workers.sqlite_rows import SqliteRows
from zen_agents.workers.sqlite_shape import shape_of
from zen_agents.workers.table_session import LOCKED_TOO_LONG, Address, Changed, Values

#: Since then a change says what it has changed.
_OLDEST: Final = (3, 35, 0)
#: A text of bytes that are no UTF-8, and a blob, as JSON can say them.
_TEXT, _BLOB = "text", "blob"
#: What stands for each value in the text of a query.
_Marks = tuple[str, ...]


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
    _is_changing = False

    def shape(self, source: Source) -> TableShape:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise BackendError(f"SQLite {sqlite3.sqlite_version} does not say what a change has changed; it takes 3.35")
        self._connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        return shape_of(source.table, self.rows, self.dialect)

    def begin_changing(self, seconds: float) -> None:
        self._until, self._is_changing = min(self._until, time.monotonic() + seconds), True

    def _failure(self, error: sqlite3.Error) -> BackendError:
        is_late = self._is_changing and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT
        return BackendError(LOCKED_TOO_LONG) if is_late else super()._failure(error)

    def _answer(self, text: str, values: Iterable[Any]) -> list[Any]:
        """Return the rows of a query about one row; all of them together end in time as well."""
        if time.monotonic() > self._until:
            raise BackendError(LOCKED_TOO_LONG)
        try:
            return self._connection.execute(text, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def plain(self, values: Sequence[Any]) -> Values:
        return _plain(values)

    def update(self, rows: TableRewriting, addresses: Iterable[Address]) -> Iterator[Changed]:
        shape, made, width = rows.shape, rows.made(), len(rows.shape.names)
        held = listed([name(each) for each in made])
        told = listed([name(each) for each in (*shape.names, *made)])
        sets = listed([sql("{} = {}", name(each), new) for each, new in made.items()])
        # The text of a query is made once for all rows: to make it takes longer than to answer it.
        queries: dict[_Marks, tuple[str, str]] = {}
        for address in addresses:
            marks, at = _all_bound(address)
            if marks not in queries:
                where = _stands(shape, marks)
                look = sql("SELECT {} FROM {} WHERE {}", held, shape.relation, where)
                change = sql("UPDATE {} SET {} WHERE {} RETURNING {}", shape.relation, sets, where, told)
                queries[marks] = look.text(), change.text()
            look_text, change_text = queries[marks]
            before = self._answer(look_text, at)
            for row, was in zip(self._answer(change_text, [*sets.values, *at]), before, strict=False):
                yield Changed(*(_plain(each) for each in (row[:width], was, row[width:])))

    def delete(self, shape: TableShape, rows: Iterable[tuple[Address, str]]) -> Iterator[tuple[str, Values]]:
        given = listed([name(each) for each in shape.insertable])
        for address, told in rows:
            marks, at = _all_bound(address)
            query = sql("DELETE FROM {} WHERE {} RETURNING {}", shape.relation, _stands(shape, marks), given)
            for row in self._answer(query.text(), at):
                yield told, _plain(row)

    def digest(self, rows: Sequence[Values]) -> Sequence[int]:
        return [_digest(row) for row in rows]

    def digests(self, shape: TableShape) -> Generator[tuple[int, Address], None, None]:
        width = len(shape.address)
        told = listed([*shape.address, *(name(each) for each in shape.insertable)])
        for row in self.stream(sql("SELECT {} FROM {}", told, shape.relation)):
            yield _digest(_plain(row[width:])), tuple(_plain(row[:width]))

    def put_back(
        self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed], places: Sequence[Address | None] = ()
    ) -> Sequence[bool]:  # fmt: skip
        def asked(own: Sequence[int], marks: _Marks) -> Sql:
            sets = zip([cells[at] for at in own], marks, strict=False)
            return sql(
                "UPDATE {} SET {} WHERE {} RETURNING 1", shape.relation,
                listed([sql(f"{{}} = {mark}", name(each)) for each, mark in sets]),
                _is_as_left(shape, [cells[at] for at in own], marks[len(own) :]),
            )  # fmt: skip

        return self._each(rows, asked, lambda row, own: [row.before[at] for at in own], places)

    def _each(
        self, rows: Sequence[Changed], asked: Callable[[Sequence[int], _Marks], Sql],
        given: Callable[[Changed, Sequence[int]], Values] | None = None, places: Sequence[Address | None] = (),
    ) -> Sequence[bool]:  # fmt: skip
        """Tell of each row whether a query about it answers, which is given some values before those that find it.

        The text of a query is made once for all of one kind.
        """
        texts: dict[tuple[tuple[int, ...], _Marks], str] = {}
        told = []
        where: Sequence[Sequence[Any] | None] = places or [row.name for row in rows]
        for row, found_by in zip(rows, where, strict=True):
            if found_by is None:
                told.append(False)
                continue
            own = _own(row)
            first = given(row, own) if given is not None else ()
            marks, values = _all_bound([*first, *found_by, *row.name, *(row.after[at] for at in own)])
            text = texts.get((own, marks)) or texts.setdefault((own, marks), asked(own, marks).text())
            told.append(bool(self._answer(text, values)))
        return told

    def insert(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[bool]:
        names = listed([name(each) for each in shape.insertable])
        told = []
        for row in rows:
            marks, values = _all_bound(row)
            query = sql(
                "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING RETURNING 1", shape.relation, names,
                listed([sql(mark) for mark in marks]),
            )  # fmt: skip
            told.append(bool(self._answer(query.text(), values)))
        return told

    def are_there(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        def asked(own: Sequence[int], marks: _Marks) -> Sql:
            there = _is_as_left(shape, [cells[at] for at in own], marks)
            return sql("SELECT 1 FROM {} WHERE {} LIMIT 1", shape.relation, there)

        return self._each(rows, asked)

    def alike(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[int]:
        counts, keys = [], [shape.insertable.index(column) for column in shape.key]
        for row in rows:
            marks, values = _all_bound([*(row[at] for at in keys), *row])
            found = joined(" AND ", [_is(shape.key, marks), _is_there(shape.insertable, marks[len(keys) :])])
            query = sql("SELECT count(*) FROM {} WHERE {}", shape.relation, found)
            counts.append(int(self._answer(query.text(), values)[0][0]))
        return counts

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


def _stands(shape: TableShape, marks: _Marks) -> Sql:
    return joined(" AND ", [sql(f"{{}} IS {mark}", at) for at, mark in zip(shape.address, marks, strict=True)])


def _is(columns: Sequence[str], marks: _Marks) -> Sql:
    return joined(" AND ", [sql(f"{{}} IS {mark}", name(each)) for each, mark in zip(columns, marks, strict=False)])


def _is_as_left(shape: TableShape, own: Sequence[str], marks: _Marks) -> Sql:
    """Return the condition that a row is found by its key, or where it stands, and is named and holds what it did.

    An index of another collation than the exact one helps only with the first.
    """
    keys = len(shape.key or shape.address)
    found = _is(shape.key, marks) if shape.key else _stands(shape, marks[:keys])
    return joined(" AND ", [found, _is_there([*shape.names, *own], marks[keys:])])


def _is_there(columns: Sequence[str], marks: _Marks) -> Sql:
    return joined(
        " AND ", [sql(f"{{}} IS {mark} COLLATE BINARY", name(each)) for each, mark in zip(columns, marks, strict=True)]
    )


def _own(row: Changed) -> tuple[int, ...]:
    """Return which cells the repair has changed: others may be somebody else's by now."""
    return tuple(at for at, (before, after) in enumerate(zip(row.before, row.after, strict=True)) if before != after)


def _digest(plain: Values) -> int:
    told = json.dumps(plain).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), signed=True)


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


def _all_bound(row: Iterable[Any]) -> tuple[_Marks, tuple[Any, ...]]:
    """Return the marks for values in a query, and the values."""
    marks, values = zip(*map(_bound, row), strict=True)
    return marks, values


def _bound(plain: Any) -> tuple[str, Any]:
    if not isinstance(plain, Mapping):
        return "?", plain
    ((kind, held),) = plain.items()
    return "CAST(? AS TEXT)" if kind == _TEXT else "?", base64.b64decode(held)
