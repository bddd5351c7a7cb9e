"""A table of a PostgreSQL that is repaired.

One transaction sees one state, changes rows by where they stand, and gives up where somebody has changed one meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from zen_agents.datasets.dialects.postgres_mending import PostgresMending
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.table_rewriting import TableRewriting
from zen_agents.datasets.table_shape import TableShape
from zen_agents.workers.postgres_given import Given, arrays
from zen_agents.workers.postgres_rows import PostgresRows
from zen_agents.workers.postgres_shape import shape_of
from zen_agents.workers.table_session import LOCKED_TOO_LONG, Address, Changed, InDoubtError, Values

#: So many rows are changed by one statement.
_BATCH: Final = 2000
_WORDS: Final = {
    "57014": "it takes longer than it may",
    "55P03": "somebody holds a lock on the table or its rows for longer than two seconds",
    "40001": "somebody changed the same rows meanwhile",
    "40P01": "somebody changed the same rows meanwhile",
    "42501": "the role may not change it: GRANT SELECT, INSERT, UPDATE, DELETE",
    "25P03": LOCKED_TOO_LONG,
    "53100": "the disk of the database is full",
    "25006": "the server takes no changes: it is a standby",
}
#: How long a transaction that was cut off may take to end on the server (seconds).
_ENDS_WITHIN: Final = 10.0
_ASK_AGAIN: Final = 0.1


class PostgresTable(PostgresRows):
    """See `TableSession`."""

    read_only: ClassVar = False
    _words: ClassVar[Mapping[str, str]] = _WORDS
    mending = PostgresMending()

    def _begin(self, milliseconds: int) -> None:
        super()._begin(milliseconds)
        # Rows that a policy hides would be neither counted nor repaired: better an error.
        self._set(("row_security", "off"))

    def shape(self, source: Source) -> TableShape:
        return shape_of(source.table, self.rows, self.dialect)

    def begin_changing(self, seconds: float) -> None:
        # From here on it is short, and what was changed so far would be in vain.
        self._way.end()
        self._changes_until = time.monotonic() + seconds
        self._end_in_time()

    def _end_in_time(self) -> None:
        """Have what comes next end by when rows are locked no longer, also while nobody says anything."""
        left = self._changes_until - time.monotonic()
        if left <= 0:
            raise BackendError(LOCKED_TOO_LONG)
        with self._in_words():
            self._end_after(max(1, round(left * 1000)))

    def plain(self, values: Sequence[Any]) -> Values:
        return [*values]

    def update(self, rows: TableRewriting, addresses: Iterable[Address]) -> Iterator[Changed]:
        shape, made, width = rows.shape, rows.made(), len(rows.shape.names)
        before = [sql("CAST({} AS text) AS {}", name(each), sql(f"b{at}")) for at, each in enumerate(made)]
        after = [sql("{} AS {}", shape.typed(each, new), sql(f"m{at}")) for at, (each, new) in enumerate(made.items())]
        for table, places in _batches((address, "") for address in addresses):
            batch = table, [*places]
            there = sql("{} WHERE {}", rows.raw(), _stands(batch))
            fixed = sql("SELECT zen_address1, {} FROM ({}) AS raw_", listed([*before, *after]), there)
            told = [shape.text(each, "t") for each in shape.names]
            told += [sql(f"f.b{at}") for at in range(len(made))] + [shape.text(each, "t") for each in made]
            self._end_in_time()
            found = self.rows(
                sql(
                    "UPDATE {} AS t SET {} FROM ({}) AS f WHERE {} AND CAST(t.ctid AS text) = f.zen_address1 RETURNING {}",
                    shape.relation, listed([sql(f"{{}} = f.m{at}", name(each)) for at, each in enumerate(made)]), fixed,
                    _stands(batch, "t."), listed(told),
                )
            )  # fmt: skip
            for row in found:
                yield Changed([*row[:width]], [*row[width : width + len(made)]], [*row[width + len(made) :]])

    def delete(self, shape: TableShape, rows: Iterable[tuple[Address, str]]) -> Iterator[tuple[str, Values]]:
        may = self.rows(sql("SELECT has_table_privilege({}, 'INSERT')", value(shape.relation.text())))[0][0]
        given = listed([shape.address[1], *(shape.text(each) for each in shape.insertable)])
        for table, places in _batches(rows):
            if not may:
                raise BackendError("the role could not put rows in again that it takes out: GRANT INSERT")
            self._end_in_time()
            where = _stands((table, [*places]))
            for place, *held in self.rows(sql("DELETE FROM {} WHERE {} RETURNING {}", shape.relation, where, given)):
                yield places[str(place)], held

    def digest(self, rows: Sequence[Values]) -> Sequence[int]:
        names = [sql(f"v{at}") for at in range(len(rows[0]))]
        found: list[int] = []
        for first in range(0, len(rows), _BATCH):
            given = listed(arrays(len(names), rows[first : first + _BATCH]))
            query = sql("SELECT {} FROM unnest({}) WITH ORDINALITY AS u({}, at) ORDER BY at",
                        self.dialect.fingerprint(names), given, listed(names))  # fmt: skip
            found += [int(told) for (told,) in self.rows(query)]
        return found

    def digests(self, shape: TableShape) -> Generator[tuple[int, Address], None, None]:
        told = self.dialect.fingerprint([shape.text(each) for each in shape.insertable])
        for digest, *address in self.stream(sql("SELECT {}, {} FROM {}", told, listed(shape.address), shape.relation)):
            yield int(digest), tuple(address)

    def put_back(
        self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed], places: Sequence[Address | None] = ()
    ) -> Sequence[bool]:  # fmt: skip
        found: set[int] = set()
        self._look_up(shape)
        for first in range(0, len(rows), _BATCH):
            self._end_in_time()
            given = Given(shape, cells, rows[first : first + _BATCH], places[first : first + _BATCH])
            sets = [
                sql(
                    f"{{}} = CASE WHEN u.b{at} IS DISTINCT FROM u.c{at} THEN {{}} ELSE t.{{}} END",
                    name(each), shape.typed(each, sql(f"u.b{at}")), name(each),
                ) for at, each in enumerate(cells)
            ]  # fmt: skip
            query = sql("UPDATE {} AS t SET {} FROM {} WHERE {} RETURNING u.at", shape.relation, listed(sets), given.rows,
                        given.is_there("t"))  # fmt: skip
            found |= {first + int(at) - 1 for (at,) in self.rows(query)}
        return [at in found for at in range(len(rows))]

    def insert(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[bool]:
        told: Counter[tuple[Any, ...]] = Counter()
        columns = shape.insertable
        for first in range(0, len(rows), _BATCH):
            self._end_in_time()
            given = arrays(len(columns), rows[first : first + _BATCH])
            names = ", ".join(f"v{at}" for at in range(len(columns)))
            query = sql(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM unnest({}) AS u({})"
                " ON CONFLICT DO NOTHING RETURNING {}",
                shape.relation, listed([name(each) for each in columns]),
                listed([shape.typed(each, sql(f"u.v{at}")) for at, each in enumerate(columns)]), listed(given),
                sql(names), listed([shape.text(each) for each in columns]),
            )  # fmt: skip
            told.update(tuple(row) for row in self.rows(query))
        return [_taken_from(told, tuple(row)) for row in rows]

    def are_there(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        found: set[int] = set()
        self._look_up(shape)
        for first in range(0, len(rows), _BATCH):
            given = Given(shape, cells, rows[first : first + _BATCH])
            query = sql("SELECT DISTINCT u.at FROM {} AS t, {} WHERE {}", shape.relation, given.rows, given.is_there("t"))
            found |= {first + int(at) - 1 for (at,) in self.rows(query)}
        return [at in found for at in range(len(rows))]

    def alike(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[int]:
        counts = [0] * len(rows)
        columns = shape.insertable
        self._look_up(shape)
        names = ", ".join(f"v{at}" for at in range(len(columns)))
        whole = sql("CAST(ROW({}) AS text)", listed([shape.text(each, "t") for each in columns]))
        for first in range(0, len(rows), _BATCH):
            given = sql(
                f"unnest({{}}) WITH ORDINALITY AS u({names}, at)",
                listed(arrays(len(columns), rows[first : first + _BATCH])),
            )
            query = sql(
                "SELECT u.at, count(*) FROM {} JOIN {} AS t ON {} GROUP BY u.at", given, shape.relation,
                joined(" AND ", [sql("{} = CAST(ROW({}) AS text)", whole, sql(names)), *_same_key(shape)]),
            )  # fmt: skip
            for at, count in self.rows(query):
                counts[first + int(at) - 1] = int(count)
        return counts

    def _look_up(self, shape: TableShape) -> None:
        """Have rows found by their key or place, and not by reading all of the table once more for each batch of them."""
        with self._in_words():
            self._set(("enable_seqscan", "off"))
            if shape.key:
                self._set(("enable_hashjoin", "off"), ("enable_mergejoin", "off"))

    @property
    def mark(self) -> str:
        return str(self.rows(sql("SELECT CAST(txid_current() AS text)"))[0][0])

    def commit(self) -> None:
        try:
            self._connection.commit()
        except self._driver.Error as error:
            if self._connection.closed:
                raise InDoubtError(str(self._failure(error))) from error
            raise self._failure(error) from error

    def settled(self, mark: str) -> bool | None:
        """Tell whether a transaction took place; None if the server does not know it any more."""
        until = time.monotonic() + _ENDS_WITHIN
        while True:
            found = self.rows(sql("SELECT txid_status(CAST({} AS bigint))", value(mark)))[0][0]
            if found != "in progress" or time.monotonic() > until:
                return {"committed": True, "aborted": False}.get(str(found))
            time.sleep(_ASK_AGAIN)


def _same_key(shape: TableShape) -> Sequence[Sql]:
    """Return the conditions by which the rows of `alike` are found without reading all of the table."""
    at = {column: number for number, column in enumerate(shape.insertable)}
    return [sql("t.{} = {}", name(each), shape.typed(each, sql(f"u.v{at[each]}"))) for each in shape.key]


def _batches(rows: Iterable[tuple[Address, str]]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield (table, what is told of each place in it) of so many rows as one statement changes.

    A partition is a table of its own.
    """
    waiting: dict[str, dict[str, str]] = {}
    for (table, place), told in rows:
        places = waiting.setdefault(str(table), {})
        places[str(place)] = told
        if len(places) == _BATCH:
            yield str(table), waiting.pop(str(table))
    yield from waiting.items()


def _stands(batch: tuple[str, list[str]], of: str = "") -> Sql:
    """Return the condition that a row stands at one of these places."""
    table, places = batch
    return sql(f"{of}tableoid = CAST({{}} AS oid) AND {of}ctid = ANY (CAST({{}} AS tid[]))", value(table), value(places))


def _taken_from(told: Counter[tuple[Any, ...]], row: tuple[Any, ...]) -> bool:
    told[row] -= 1
    return told[row] >= 0
