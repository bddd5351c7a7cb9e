"""The queries by which the rows of one file are repaired, in one pass over it.

That pass keeps of each row only what makes it special: that it is to be taken out and why, or what it is to hold instead;
and a fingerprint where repetitions are dropped. Everything else is told from those facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.dialects.duck import DuckDialect
from zen_agents.datasets.dialects.duck_mending import DuckMending
from zen_agents.datasets.repairs import Cells, drops_duplicates
from zen_agents.datasets.row_texts import Row, RowTexts
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import Table
from zen_agents.datasets.taking_out import any_of, taken_out

#: A row for each row that was read, in that order (`rowid`): `print_` is null for one that is taken out, and where nobody
#: asks for repetitions; `found` is null for one that stays as it is, else why it is taken out, its text, and the new one.
FACTS: Final = "facts_"
#: Where rows are no text: the number of a row among all; no column is called so.
NUMBER: Final = "\x1fnumber"
#: Each fingerprint that several rows have, and how many have it.
TWINS: Final = "twins_"


class Rewriting:
    """The repairs of a contract over the rows behind `relation`; `columns` is every column as it is to be called.

    `line`: the column with all of a row's text, where it has one. `no_row`: the one that says of a row that it is none after
    all, and why.
    """

    def __init__(
        self, contract: Contract, relation: Sql, columns: Mapping[str, ColumnType], texts: RowTexts, *, line: str = "",
        no_row: tuple[str, str] = ("", ""),
    ) -> None:  # fmt: skip
        self._line, self._no_row = line, no_row
        self._contract, self._relation, self._columns, self._texts = contract, relation, columns, texts
        self._dialect = DuckDialect()
        self._steps = [*Cells(contract, columns, self._dialect, DuckMending()).steps()]
        changing = dict.fromkeys(chain.from_iterable(self._steps))
        self._before = {column: _unused(f"before{at}_", columns) for at, column in enumerate(changing)}

    def facts(self) -> Sql:
        """Return the query that finds out what `FACTS` is to hold."""
        scope = self._scope()
        bad = taken_out(self._contract, scope)
        after = {column: sql(f"c{at}") for at, column in enumerate(self._columns)}
        changing = {column: sql(f"b{at}") for at, column in enumerate(self._before)}
        handed = {f"c{at}": name(column) for at, column in enumerate(self._columns)}
        handed |= {f"b{at}": name(each) for at, each in enumerate(self._before.values())}
        handed |= {alias: name(each) for alias, each in (("l_", self._line), ("x_", self._no_row[0])) if each}
        line = {self._line: sql("l_")} if self._line else {}
        found = self._found(bad, after | changing | line, after | line)
        seen = self._print(any_of([condition for _, condition in bad]), after)
        return sql("SELECT {} AS print_, {} AS found FROM {}", seen, found, scope.rows(besides=handed))

    def kept(self) -> Sql:
        """Return the query for all rows that stay, repaired; the relation says by `NUMBER` which each is, from 0."""
        columns, number = listed([name(column) for column in self._columns]), name(NUMBER)
        bad = sql("SELECT rowid FROM {} WHERE found[1] IS NOT NULL", name(FACTS))
        gone = sql("{} UNION ALL {}", bad, self.repeated())
        return sql("SELECT {} FROM {} WHERE {} NOT IN ({}) ORDER BY {}", columns, self._fixed(), number, gone, number)

    def repeated(self) -> Sql:
        """Return the query for the numbers of rows that repeat an earlier one, told by all of each."""
        alike, number = listed([name(column) for column in self._columns]), name(NUMBER)
        again = sql("row_number() OVER (PARTITION BY {} ORDER BY {})", alike, number)
        some = sql("SELECT rowid FROM {} WHERE print_ IN (SELECT print_ FROM {})", name(FACTS), name(TWINS))
        rows = sql("SELECT {} AS n, {} AS again FROM {} WHERE {} IN ({})", number, again, self._fixed(), number, some)
        return sql("SELECT n FROM ({}) AS twins_of_ WHERE again > 1", rows)

    # -- below: the rows, repaired ------------------------------------------------------------------------------------

    def _scope(self) -> Scope:
        return Scope(self._contract, Table(self._fixed(), self._columns), self._dialect)

    def _fixed(self) -> Sql:
        """Return the rows with repaired cells and what stood there before; each repair is a query over the one before."""
        before = [sql("{} AS {}", name(column), name(each)) for column, each in self._before.items()]
        rows = sql("(SELECT {} FROM {}) AS read_", listed([sql("*"), *before]), self._relation)
        for at, step in enumerate(self._steps):
            made = listed([sql("{} AS {}", cell, name(column)) for column, cell in step.items()])
            rows = sql("(SELECT * REPLACE ({}) FROM {}) AS {}", made, rows, name(f"step{at}_"))
        return rows

    def _print(self, bad: Sql, after: Row) -> Sql:
        if not drops_duplicates(self._contract):
            return sql("CAST(NULL AS UBIGINT)")
        bad = sql("(coalesce(x_, false) OR {})", bad) if self._no_row[0] else bad
        return sql("CASE WHEN NOT {} THEN {} END", bad, self._dialect.fingerprint([*after.values()]))

    def _found(self, bad: Sequence[tuple[str, Sql]], before: Row, after: Row) -> Sql:
        old, new = self._texts.before(before), self._texts.after(before, after)
        cases = [sql("WHEN x_ THEN [{}, {}, NULL]", value(self._no_row[1]), old)] if self._no_row[0] else []
        if bad:
            is_bad = any_of([condition for _, condition in bad])
            cases.append(sql("WHEN {} THEN [{}, {}, NULL]", is_bad, _reason(bad), old))
        if self._before:
            differs = [sql("({} IS DISTINCT FROM {})", before[column], after[column]) for column in self._before]
            cases.append(sql("WHEN {} THEN [NULL, {}, {}]", joined(" OR ", differs), old, new))
        return sql("CASE {} END", joined(" ", cases)) if cases else sql("CAST(NULL AS VARCHAR[])")


def tally() -> Sql:
    """Return the query for one row: how many rows, to be taken out, that change, and that seem to repeat another."""
    return sql(
        "SELECT count(*), count(*) FILTER (found[1] IS NOT NULL), count(*) FILTER (found IS NOT NULL AND found[1] IS NULL),"
        " (SELECT coalesce(sum(n - 1), 0) FROM {}) FROM {}",
        name(TWINS), name(FACTS),
    )  # fmt: skip


def twins() -> Sql:
    """Return the query for what `TWINS` is to hold."""
    return sql(
        "SELECT print_, count(*) AS n FROM {} WHERE print_ IS NOT NULL GROUP BY print_ HAVING count(*) > 1", name(FACTS)
    )


def special(first: int, behind: int) -> Sql:
    """Return the query for the rows of which there is something to be done, of those from one number to before another.

    Number, why it is taken out, its text, the new one, and the fingerprint if another row has that too.
    """
    return sql(
        "SELECT f.rowid, found[1], found[2], found[3], t.print_ FROM {} AS f LEFT JOIN {} AS t ON f.print_ = t.print_"
        " WHERE f.rowid >= {} AND f.rowid < {} AND (found IS NOT NULL OR t.print_ IS NOT NULL) ORDER BY f.rowid",
        name(FACTS), name(TWINS), value(first), value(behind),
    )  # fmt: skip


def changes(most: int) -> Sql:
    """Return the query for the first rows that change: number, and both texts."""
    return sql(
        "SELECT rowid, found[2], found[3] FROM {} WHERE found IS NOT NULL AND found[1] IS NULL ORDER BY rowid LIMIT {}",
        name(FACTS), value(most),
    )  # fmt: skip


def taken(most: int | None = None) -> Sql:
    """Return the query for the rows that are taken out, or the first of them: number, why, and the text."""
    return sql(
        "SELECT rowid, found[1], found[2] FROM {} WHERE found[1] IS NOT NULL ORDER BY rowid LIMIT {}",
        name(FACTS),
        value(most),
    )


def rows() -> Sql:
    """Return the query for how many rows were read."""
    return sql("SELECT count(*) FROM {}", name(FACTS))


def _reason(found: Sequence[tuple[str, Sql]]) -> Sql:
    each = [sql("CASE WHEN {} THEN {} END", condition, value(check)) for check, condition in found]
    return sql("concat_ws(', ', {})", listed(each))


def _unused(wanted: str, taken: Mapping[str, object]) -> str:
    while wanted.casefold() in {each.casefold() for each in taken}:
        wanted += "_"
    return wanted
