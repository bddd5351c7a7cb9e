"""Compares the rows of two data sets in one database: by a key, else by all that they hold, whatever they are written in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from zen_agents.datasets import movement
from zen_agents.datasets.contract import Column, ColumnType, Contract
from zen_agents.datasets.dialects.base import NUMERIC
from zen_agents.datasets.difference import ChangedColumn, ChangedRow, Difference, Moved, RowChange, TypeChange
from zen_agents.datasets.finding import MOST_TEXT, Cell
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import Backend, BackendError, Table

#: Is told what is done now: words, and how many steps of how many are done.
Told = Callable[[str, int, int], None]
#: Of so many columns it is measured how far they moved.
MOST_MOVED: Final = 50
_TENTHS: Final = tuple(part / 10 for part in range(1, 10))
_CONDITIONS: Final = {
    RowChange.REMOVED: sql("b.there_ IS NULL"), RowChange.ADDED: sql("a.there_ IS NULL"),
}  # fmt: skip


def compare(contract: Contract, before: Table, after: Table, backend: Backend, key: Sequence[str], told: Told) -> Difference:
    """Return what differs; the contract says how columns are read and what rows are matched by; BackendError."""
    return _Comparison(contract, before, after, backend, key, told).difference()


class _Comparison:
    def __init__(
        self, contract: Contract, before: Table, after: Table, backend: Backend, key: Sequence[str], told: Told
    ) -> None:
        self._contract, self._before, self._after, self._backend, self._told = contract, before, after, backend, told
        self._shared = [each for each in before.columns if each in after.columns]
        if missing := [each for each in key if each not in self._shared]:
            raise BackendError(
                f"rows cannot be matched by {', '.join(map(repr, missing))}: one of the two has no such column"
            )
        if not self._shared:
            raise BackendError("the two have no column in common")
        self._key = tuple(key) or tuple(self._shared)
        self._others = [each for each in self._shared if each not in self._key]

    def difference(self) -> Difference:
        measured = self._others if len(self._others) < len(self._shared) and self._others else self._shared
        steps = 2 + min(len(measured), MOST_MOVED)
        self._told("all rows", 0, steps)
        rows_before, rows_after, added, removed, changed, *each = self._counts()
        self._told("the first rows", 1, steps)
        counts = {RowChange.ADDED: added, RowChange.REMOVED: removed, RowChange.CHANGED: changed}
        rows = [row for change, count in counts.items() if count for row in self._rows(change)]
        moved = []
        for at, column in enumerate(measured[:MOST_MOVED]):
            self._told(column, 2 + at, steps)
            moved.append(self._moved(column, rows_before, rows_after))
        is_keyed = bool(self._others) or len(self._key) < len(self._shared)
        return Difference(
            self._contract.name, self._contract.name, rows_before, rows_after, self._key if is_keyed else (),
            tuple(each for each in self._before.columns if each not in self._after.columns),
            tuple(each for each in self._after.columns if each not in self._before.columns),
            tuple(self._types()), added, removed, changed,
            tuple(ChangedColumn(column, count) for column, count in zip(self._others, each, strict=True) if count),
            tuple(rows), tuple(sorted(moved, key=lambda found: -found.psi)), max(0, len(measured) - MOST_MOVED),
        )  # fmt: skip

    def _types(self) -> Sequence[TypeChange]:
        """Return the columns of another type; a file of texts says nothing of types."""
        pairs = ((each, self._before.columns[each], self._after.columns[each]) for each in self._shared)
        return [
            TypeChange(column, was, now) for column, was, now in pairs
            if was is not now and ColumnType.TEXT not in (was, now)
        ]  # fmt: skip

    # -- rows ---------------------------------------------------------------------------------------------------------
    def _joined(self) -> Sql:
        """Return both sides side by side: rows of the same key, the first with the first where there are several."""
        numbered = sql("same_")
        keys = [self._k(at) for at in range(len(self._key))]
        pairs = [sql("a.{} IS NOT DISTINCT FROM b.{}", each, each) for each in [*keys, numbered]]
        return sql(
            "({}) AS a FULL OUTER JOIN ({}) AS b ON {}", self._side(self._before), self._side(self._after),
            joined(" AND ", pairs),
        )  # fmt: skip

    def _side(self, table: Table) -> Sql:
        keys = [sql("{} AS {}", self._text(table, each), self._k(at)) for at, each in enumerate(self._key)]
        others = [sql("{} AS {}", self._text(table, each), self._c(at)) for at, each in enumerate(self._others)]
        inner = sql("SELECT {} FROM {}", listed([*keys, *others]), table.relation)
        by = listed([self._k(at) for at in range(len(self._key))])
        order = [self._c(at) for at in range(len(self._others))]
        ordered = sql(" ORDER BY {}", listed(order)) if order else sql("")
        numbered = sql("row_number() OVER (PARTITION BY {}{})", by, ordered)
        return sql("SELECT *, 1 AS there_, {} AS same_ FROM ({}) AS rows_", numbered, inner)

    def _counts(self) -> Sequence[int]:
        differs = [self._differs(at) for at in range(len(self._others))]
        counted = [sql("count(a.there_)"), sql("count(b.there_)")]
        counted += [sql("count(*) FILTER ({})", _CONDITIONS[each]) for each in (RowChange.ADDED, RowChange.REMOVED)]
        counted.append(sql("count(*) FILTER ({})", joined(" OR ", differs)) if differs else sql("0"))
        counted += [sql("count(*) FILTER ({})", each) for each in differs]
        (numbers,) = self._backend.rows(sql("SELECT {} FROM {}", listed(counted), self._joined()))
        return [int(each) for each in numbers]

    def _rows(self, change: RowChange) -> Sequence[ChangedRow]:
        condition = _CONDITIONS.get(change)
        if condition is None:
            condition = joined(" OR ", [self._differs(at) for at in range(len(self._others))])
        keys = [sql(f"coalesce(a.k{at}, b.k{at})") for at in range(len(self._key))]
        both = [sql(f"{side}.c{at}") for at in range(len(self._others)) for side in "ab"]
        shown = [sql(f"substr({{}}, 1, {MOST_TEXT})", each) for each in [*keys, *both]]
        # What differs beyond what is shown differs all the same.
        shown += [self._differs(at) for at in range(len(self._others))]
        query = sql(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}", listed(shown), self._joined(), condition, listed(keys),
            value(self._contract.limits.evidence_rows),
        )  # fmt: skip
        return [self._row(change, found) for found in self._backend.rows(query)]

    def _row(self, change: RowChange, found: Sequence[object]) -> ChangedRow:
        texts = [None if each is None else str(each) for each in found]
        keys = tuple(Cell(column, text) for column, text in zip(self._key, texts, strict=False))
        pairs, differs = texts[len(self._key) :], found[len(self._key) + 2 * len(self._others) :]
        if change is not RowChange.CHANGED:
            return ChangedRow(change, keys)
        at = [number for number, differing in enumerate(differs) if differing]
        before = tuple(Cell(self._others[number], pairs[2 * number]) for number in at)
        return ChangedRow(
            change, keys, before, tuple(Cell(self._others[number], pairs[2 * number + 1]) for number in at)
        )  # fmt: skip

    def _differs(self, at: int) -> Sql:
        both = sql("a.there_ IS NOT NULL AND b.there_ IS NOT NULL AND ")
        return both + sql("a.{} IS DISTINCT FROM b.{}", self._c(at), self._c(at))

    @staticmethod
    def _k(at: int) -> Sql:
        return sql(f"k{at}")

    @staticmethod
    def _c(at: int) -> Sql:
        return sql(f"c{at}")

    # -- values -------------------------------------------------------------------------------------------------------
    def _type(self, column: str) -> ColumnType:
        """Return as what both are read: as the contract says, else as a side that knows its types has it."""
        if (said := self._contract.column(column).type) is not ColumnType.ANY:
            return said
        was, now = self._before.columns[column], self._after.columns[column]
        if was is now or now is ColumnType.TEXT:
            return was
        if was is ColumnType.TEXT:
            return now
        return ColumnType.NUMBER if {was, now} <= NUMERIC else ColumnType.TEXT

    def _read(self, table: Table, column: str) -> Sql:
        wanted: Column = self._contract.column(column)
        kind = self._type(column)
        read = self._backend.dialect.reads(name(column), table.columns[column], kind, wanted.form)
        cast = self._backend.dialect.casts.get(kind)
        return read if cast is None else sql(f"TRY_CAST({{}} AS {cast})", read)

    def _text(self, table: Table, column: str) -> Sql:
        """Return a value as text, the same for the same value; what does not read as its type as it is written."""
        stored = self._backend.dialect.text(name(column), table.columns[column])
        # A decimal is written with all its places, whether something stands there or not.
        text = "CAST({} AS VARCHAR)"
        plain = f"rtrim(rtrim({text}, '0'), '.')" if self._type(column) is ColumnType.DECIMAL else text
        return sql(f"coalesce({plain}, {{}})", self._read(table, column), stored)

    # -- distributions ------------------------------------------------------------------------------------------------
    def _moved(self, column: str, rows_before: int, rows_after: int) -> Moved:
        if self._type(column) in NUMERIC:
            return self._moved_numbers(column)
        counts = self._frequent(column)
        p = movement.shares([was for was, _ in counts], rows_before)
        q = movement.shares([now for _, now in counts], rows_after)
        return Moved(column, movement.psi(p, q), shares=movement.distance(p, q))

    def _frequent(self, column: str) -> Sequence[tuple[int, int]]:
        """Return how often the most frequent values of both together are in each."""
        most, shown = value(movement.MOST_VALUES), value(MOST_TEXT)
        sides = [
            sql(
                "SELECT substr({}, 1, {}) AS t, {} AS s FROM {}",
                self._text(table, column),
                shown,
                value(side),
                table.relation,
            )
            for side, table in enumerate((self._before, self._after))
        ]
        query = sql(
            "SELECT count(*) FILTER (s = 0), count(*) FILTER (s = 1) FROM ({}) AS both_ WHERE t IS NOT NULL GROUP BY t"
            " ORDER BY count(*) DESC, t LIMIT {}",
            joined(" UNION ALL ", sides), most,
        )  # fmt: skip
        return [(int(was), int(now)) for was, now in self._backend.rows(query)]

    def _moved_numbers(self, column: str) -> Moved:
        was, now = (
            sql("SELECT CAST({} AS DOUBLE) AS v FROM {}", self._read(table, column), table.relation)
            for table in (self._before, self._after)
        )
        tenths = [sql("quantile_cont(v, {})", value(part)) for part in _TENTHS]
        (found,) = self._backend.rows(sql("SELECT {} FROM ({}) AS one_", listed(tenths), was))
        edges = sorted({float(each) for each in found if each is not None})
        counted = [
            movement.of_bins([int(each) for each in self._backend.rows(movement.bins_query(given, edges))[0]])
            for given in (was, now)
        ]  # fmt: skip
        ((ks,),) = self._backend.rows(movement.ks_query(was, now))
        return Moved(column, movement.psi(*counted), ks=None if ks is None else float(ks))
