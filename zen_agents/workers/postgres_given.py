"""Rows that are handed to a PostgreSQL to be found in a table again."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table_shape import TableShape
from zen_agents.workers.table_session import Changed, Values


class Given:
    """Rows that are looked for in a table: their names, what cells hold now, and what they held before."""

    def __init__(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> None:
        self._shape, self._cells = shape, cells
        columns = [*(f"n{at}" for at in range(len(shape.names))), *(f"c{at}" for at in range(len(cells)))]
        columns += [f"b{at}" for at in range(len(cells))]
        given = listed(arrays(len(columns), [[*each.name, *each.after, *each.before] for each in rows]))
        self.rows = sql(f"unnest({{}}) WITH ORDINALITY AS u({', '.join(columns)}, at)", given)
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


def arrays(columns: int, rows: Sequence[Values]) -> Sequence[Sql]:
    """Return the columns of these rows, each as one value."""
    return [sql("CAST({} AS text[])", value([row[at] for row in rows])) for at in range(columns)]
