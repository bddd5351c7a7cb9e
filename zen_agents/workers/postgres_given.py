"""Rows that are handed to a PostgreSQL to be found in a table again."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table_shape import TableShape
from zen_agents.workers.table_session import Address, Changed, Values


class Given:
    """Rows that are looked for in a table: their names, what cells hold now, and what they held before."""

    def __init__(
        self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed], places: Sequence[Address | None] = ()
    ) -> None:  # fmt: skip
        self._shape, self._cells, self._places = shape, cells, places
        columns = [*(f"n{at}" for at in range(len(shape.names))), *(f"c{at}" for at in range(len(cells)))]
        columns += [f"b{at}" for at in range(len(cells))]
        given = [[*each.name, *each.after, *each.before] for each in rows]
        if places:
            columns += ["tab", "place"]
            given = [[*row, *(place or (None, None))] for row, place in zip(given, places, strict=True)]
        arrayed = listed(arrays(len(columns), given))
        self.rows = sql(f"unnest({{}}) WITH ORDINALITY AS u({', '.join(columns)}, at)", arrayed)

    def is_there(self, table: str) -> Sql:
        """Return the condition that a row of a table is the one that was given and its cells hold what they held.

        Cells that held the same before are left out of that: somebody may have changed them since.
        """
        if self._places:
            return self._stands(table)
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

    def _stands(self, table: str) -> Sql:
        """Return the same where rows have no key: it stands there, and is what it was."""
        names = range(len(self._shape.names))
        now = sql("CAST(ROW({}) AS text)", listed([self._shape.text(each, table) for each in self._shape.names]))
        return sql(
            f"{table}.ctid = ANY (CAST({{}} AS tid[])) AND {table}.ctid = CAST(u.place AS tid)"
            f" AND {table}.tableoid = CAST(u.tab AS oid) AND {{}} = CAST(ROW({{}}) AS text)",
            value([str(each[1]) for each in self._places if each]), now, listed([sql(f"u.n{at}") for at in names]),
        )  # fmt: skip


def arrays(columns: int, rows: Sequence[Values]) -> Sequence[Sql]:
    """Return the columns of these rows, each as one value."""
    return [sql("CAST({} AS text[])", value([row[at] for row in rows])) for at in range(columns)]
