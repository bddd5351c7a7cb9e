"""A table of a PostgreSQL that is repaired.

One transaction sees one state, changes rows by where they stand, and gives up where somebody has changed one meanwhile.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, ClassVar, Final

from zen_agents.datasets.dialects.postgres_mending import PostgresMending
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.table_rewriting import TableRewriting
from zen_agents.datasets.table_shape import TableShape
from zen_agents.workers.postgres_rows import PostgresRows
from zen_agents.workers.postgres_shape import shape_of
from zen_agents.workers.table_session import Address, Changed, InDoubtError, Values

#: So many rows are changed by one statement.
_BATCH: Final = 2000
_WORDS: Final = {
    "57014": "it takes longer than it may",
    "55P03": "somebody holds a lock on the table or its rows for longer than two seconds",
    "40001": "somebody changed the same rows meanwhile",
    "40P01": "somebody changed the same rows meanwhile",
    "42501": "the role may not change it: GRANT SELECT, INSERT, UPDATE, DELETE",
    "25P03": "the rows were locked for too long",
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
        self._end_after(round(seconds * 1000))

    def update(self, rows: TableRewriting, addresses: Sequence[Address]) -> Iterator[Changed]:
        shape, made, width = rows.shape, rows.made(), len(rows.shape.names)
        before = [sql("CAST({} AS text) AS {}", name(each), sql(f"b{at}")) for at, each in enumerate(made)]
        after = [sql("{} AS {}", shape.typed(each, new), sql(f"m{at}")) for at, (each, new) in enumerate(made.items())]
        for batch in _batches(addresses):
            there = sql("{} WHERE {}", rows.raw(), _stands(batch))
            fixed = sql("SELECT zen_address1, {} FROM ({}) AS raw_", listed([*before, *after]), there)
            told = [shape.text(each, "t") for each in shape.names]
            told += [sql(f"f.b{at}") for at in range(len(made))] + [shape.text(each, "t") for each in made]
            found = self.rows(
                sql(
                    "UPDATE {} AS t SET {} FROM ({}) AS f WHERE {} AND CAST(t.ctid AS text) = f.zen_address1 RETURNING {}",
                    shape.relation, listed([sql(f"{{}} = f.m{at}", name(each)) for at, each in enumerate(made)]), fixed,
                    _stands(batch, "t."), listed(told),
                )
            )  # fmt: skip
            for row in found:
                yield Changed([*row[:width]], [*row[width : width + len(made)]], [*row[width + len(made) :]])

    def delete(self, shape: TableShape, addresses: Sequence[Address]) -> Iterator[tuple[Address, Values]]:
        if addresses and not self.rows(sql("SELECT has_table_privilege({}, 'INSERT')", value(shape.relation.text())))[0][0]:
            raise BackendError("the role could not put rows in again that it takes out: GRANT INSERT")
        told = listed([*shape.address, *(shape.text(each) for each in shape.insertable)])
        for batch in _batches(addresses):
            for row in self.rows(sql("DELETE FROM {} WHERE {} RETURNING {}", shape.relation, _stands(batch), told)):
                yield (row[0], row[1]), [*row[2:]]

    def put_back(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        found: set[int] = set()
        for first in range(0, len(rows), _BATCH):
            given = _Given(shape, cells, rows[first : first + _BATCH])
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
            arrays = _arrays(len(columns), rows[first : first + _BATCH])
            names = ", ".join(f"v{at}" for at in range(len(columns)))
            query = sql(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM unnest({}) AS u({})"
                " ON CONFLICT DO NOTHING RETURNING {}",
                shape.relation, listed([name(each) for each in columns]),
                listed([shape.typed(each, sql(f"u.v{at}")) for at, each in enumerate(columns)]), listed(arrays),
                sql(names), listed([shape.text(each) for each in columns]),
            )  # fmt: skip
            told.update(tuple(row) for row in self.rows(query))
        return [_taken_from(told, tuple(row)) for row in rows]

    def are_there(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        found: set[int] = set()
        for first in range(0, len(rows), _BATCH):
            given = _Given(shape, cells, rows[first : first + _BATCH])
            query = sql("SELECT DISTINCT u.at FROM {} AS t, {} WHERE {}", shape.relation, given.rows, given.is_there("t"))
            found |= {first + int(at) - 1 for (at,) in self.rows(query)}
        return [at in found for at in range(len(rows))]

    def alike(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[int]:
        counts = [0] * len(rows)
        whole = sql("CAST(ROW({}) AS text)", listed([shape.text(each) for each in shape.insertable]))
        grouped = sql("SELECT {} AS whole, count(*) AS n FROM {} GROUP BY 1", whole, shape.relation)
        names = ", ".join(f"v{at}" for at in range(len(shape.insertable)))
        for first in range(0, len(rows), _BATCH):
            arrays = listed(_arrays(len(shape.insertable), rows[first : first + _BATCH]))
            query = sql(
                "SELECT u.at, w.n FROM unnest({}) WITH ORDINALITY AS u({}, at) JOIN ({}) AS w"
                " ON w.whole = CAST(ROW({}) AS text)",
                arrays, sql(names), grouped, sql(names),
            )  # fmt: skip
            for at, count in self.rows(query):
                counts[first + int(at) - 1] = int(count)
        return counts

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


class _Given:
    """Rows that are looked for in a table: their names, what cells hold now, and what they held before."""

    def __init__(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> None:
        self._shape, self._cells = shape, cells
        columns = [*(f"n{at}" for at in range(len(shape.names))), *(f"c{at}" for at in range(len(cells)))]
        columns += [f"b{at}" for at in range(len(cells))]
        arrays = listed(_arrays(len(columns), [[*each.name, *each.after, *each.before] for each in rows]))
        self.rows = sql(f"unnest({{}}) WITH ORDINALITY AS u({', '.join(columns)}, at)", arrays)
        if not shape.key:
            self.rows = self._beside_the_same(", ".join(columns[: len(shape.names)]))

    def _beside_the_same(self, names: str) -> Sql:
        """Return them where rows have no key: beside as many of those that are alike as were given, whichever they are."""
        shape = self._shape
        whole = sql("CAST(ROW({}) AS text)", listed([shape.text(each) for each in shape.names]))
        return sql(
            "(SELECT *, row_number() OVER (PARTITION BY whole) AS same FROM"
            " (SELECT *, CAST(ROW({}) AS text) AS whole FROM {}) AS v) AS u"
            " JOIN (SELECT tableoid AS o, ctid AS c, {} AS whole, row_number() OVER (PARTITION BY {}) AS same FROM {}) AS w"
            " ON w.whole = u.whole AND w.same = u.same",
            sql(names), self.rows, whole, whole, shape.relation,
        )  # fmt: skip

    def is_there(self, table: str) -> Sql:
        """Return the condition that a row of a table is the one that was given and its cells hold what they held.

        Cells that held the same before are left out of that: somebody may have changed them since.
        """
        if not self._shape.key:
            return sql(f"{table}.tableoid = w.o AND {table}.ctid = w.c")
        keys = [
            sql(f"{table}.{{}} = {{}}", name(each), self._shape.typed(each, sql(f"u.n{at}")))
            for at, each in enumerate(self._shape.key)
        ]
        cells = [
            sql(
                f"(u.b{at} IS NOT DISTINCT FROM u.c{at} OR {{}} COLLATE \"C\" IS NOT DISTINCT FROM u.c{at})",
                self._shape.text(each, table),
            ) for at, each in enumerate(self._cells)
        ]  # fmt: skip
        return joined(" AND ", [*keys, *cells])


def _batches(addresses: Iterable[Address]) -> Iterator[tuple[str, list[str]]]:
    """Yield (table, places in it) of so many rows as one statement changes; a partition is a table of its own."""
    for table, found in groupby(sorted(addresses), key=lambda address: address[0]):
        places = [str(address[1]) for address in found]
        for first in range(0, len(places), _BATCH):
            yield str(table), places[first : first + _BATCH]


def _stands(batch: tuple[str, list[str]], of: str = "") -> Sql:
    """Return the condition that a row stands at one of these places."""
    table, places = batch
    return sql(f"{of}tableoid = CAST({{}} AS oid) AND {of}ctid = ANY (CAST({{}} AS tid[]))", value(table), value(places))


def _arrays(columns: int, rows: Sequence[Values]) -> Sequence[Sql]:
    return [sql("CAST({} AS text[])", value([row[at] for row in rows])) for at in range(columns)]


def _taken_from(told: Counter[tuple[Any, ...]], row: tuple[Any, ...]) -> bool:
    told[row] -= 1
    return told[row] >= 0
