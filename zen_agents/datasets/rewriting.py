"""The queries by which the rows of one file are repaired: how many it is about, which, and what stays and what is taken out.

Every row of the source is in exactly one of three: those that stay, those that are taken out with a reason, and those that
repeat an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.dialects.duck import DuckDialect
from zen_agents.datasets.dialects.duck_mending import DuckMending
from zen_agents.datasets.repairs import Cells, drops_duplicates
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import Table
from zen_agents.datasets.taking_out import any_of, taken_out

_NUMBERS: Final = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL, ColumnType.BOOLEAN})


class Rewriting:
    """The repairs of a contract over the rows behind `relation`.

    `columns`: every column as it is to be called, and what it holds. `line`: the column with all of a line, where a row is
    one, whose other parts stay as they are (JSON lines). `number`: the number of a row in its order.
    """

    def __init__(
        self, contract: Contract, relation: Sql, columns: Mapping[str, ColumnType], *, number: Sql, line: str = ""
    ) -> None:
        self._contract, self._relation, self._columns = contract, relation, columns
        self._number, self._line, self._dialect = number, line, DuckDialect()
        self._cells = Cells(contract, columns, self._dialect, DuckMending()).repaired()
        taken = {*columns, line}
        self._changed, self._n = _unused("changed_", taken), _unused("number_", taken)
        self._before = {column: _unused(f"before{at}_", taken) for at, column in enumerate(self._cells)}

    def tally(self) -> Sql:
        """Return the query for one row: rows, rows to be taken out, rows that change, rows that may repeat another."""
        scope = self._scope(numbered=False)
        bad = self._bad(scope)
        repeated = sql("0")
        if drops_duplicates(self._contract):
            seen = self._dialect.fingerprint(self._identity)
            repeated = sql("count(*) FILTER (NOT {}) - count(DISTINCT {}) FILTER (NOT {})", bad, sql("print_"), bad)
            rows = scope.rows(besides={"changed_": name(self._changed), "print_": seen})
        else:
            rows = scope.rows(besides={"changed_": name(self._changed)})
        changes = sql("count(*) FILTER (changed_ AND NOT {})", bad)
        return sql("SELECT count(*), count(*) FILTER ({}), {}, {} FROM {}", bad, changes, repeated, rows)

    def changes(self, most: int) -> Sql:
        """Return the query for the first rows that change: number, and each cell that may, before and after."""
        scope = self._scope(numbered=True)
        bad = self._bad(scope)
        pairs = {f"c{2 * at}": name(before) for at, before in enumerate(self._before.values())}
        pairs |= {f"c{2 * at + 1}": name(column) for at, column in enumerate(self._before)}
        rows = scope.rows(besides={"n_": name(self._n), "changed_": name(self._changed), **pairs})
        shown = listed([sql("n_"), *(sql(f"substr(c{at}, 1, 200)") for at in range(len(pairs)))])
        return sql("SELECT {} FROM {} WHERE changed_ AND NOT {} LIMIT {}", shown, rows, bad, value(most))

    @property
    def changing(self) -> Sequence[str]:
        """Return the columns that `changes` shows, in its order."""
        return tuple(self._cells)

    def kept(self, *, without_repeated: bool) -> Sql:
        """Return the query for what the file is to hold."""
        if without_repeated:
            names = self._kept(numbered=True)[1]
            return sql("SELECT {} FROM {} WHERE again_ = 1 ORDER BY n_", self._named([*names]), self._counted())
        rows, names = self._kept(numbered=False)
        return sql("SELECT {} FROM {}", self._named([*names]), rows)

    def repeated(self) -> Sql:
        """Return the query for the exact number of rows that repeat an earlier one."""
        return sql("SELECT count(*) FROM {} WHERE again_ > 1", self._counted())

    def taken(self) -> Sql:
        """Return the query for the rows that are taken out, each as one line of JSON with its number and the reason."""
        scope = self._scope(numbered=True)
        bad, why = self._bad(scope), self._reason(scope)
        row = {f"c{at}": name(column) for at, column in enumerate([self._line] if self._line else self._columns)}
        rows = scope.rows(besides={"n_": name(self._n), **row})
        held = sql("c0") if self._line else _object([(each, sql(f"c{at}")) for at, each in enumerate(self._columns)])
        key = "line" if self._line else "values"
        card = sql(f"json_object('row', n_, 'reason', {{}}, '{key}', {{}})", why, held)
        return sql("SELECT CAST({} AS VARCHAR) AS line FROM {} WHERE {}", card, rows, bad)

    # -- below: the rows, repaired ------------------------------------------------------------------------------------

    def _scope(self, *, numbered: bool) -> Scope:
        return Scope(self._contract, Table(self._fixed(numbered=numbered), self._columns), self._dialect)

    def _fixed(self, *, numbered: bool) -> Sql:
        """Return the rows with repaired cells, whether each changed, and what stood there before."""
        made = [sql("{} AS {}", self._cells.get(column, name(column)), name(column)) for column in self._columns]
        made += [sql("{} AS {}", name(column), name(before)) for column, before in self._before.items()]
        made.append(sql("{} AS {}", self._differs(), name(self._changed)))
        if self._line:
            made.append(sql("{} AS {}", self._merged(), name(self._line)))
        inner = self._relation
        if numbered:
            made.append(name(self._n))
            inner = sql("(SELECT *, {} AS {} FROM {}) AS numbered_", self._number, name(self._n), self._relation)
        return sql("(SELECT {} FROM {}) AS fixed_", listed(made), inner)

    def _differs(self) -> Sql:
        each = [sql("({} IS DISTINCT FROM {})", name(column), made) for column, made in self._cells.items()]
        return joined(" OR ", each) if each else sql("false")

    def _merged(self) -> Sql:
        """Return a line of JSON with its repaired values; one in which none changed is the very text that it was."""
        if not self._cells:
            return name(self._line)
        patches = [self._patch(column, made) for column, made in self._cells.items()]
        merged = sql("CAST(json_merge_patch(CAST({} AS JSON), {}) AS VARCHAR)", name(self._line), listed(patches))
        return sql("CASE WHEN {} THEN {} ELSE {} END", self._differs(), merged, name(self._line))

    def _patch(self, column: str, made: Sql) -> Sql:
        written = sql("to_json({})", made)
        if self._contract.column(column).type in _NUMBERS:
            written = sql("CASE WHEN json_valid({}) THEN CAST({} AS JSON) ELSE to_json({}) END", made, made, made)
        nothing = value("{}")
        return sql(
            "CASE WHEN {} IS DISTINCT FROM {} THEN json_object({}, {}) ELSE CAST({} AS JSON) END",
            name(column), made, value(column), written, nothing,
        )  # fmt: skip

    def _bad(self, scope: Scope) -> Sql:
        return any_of([condition for _, condition in taken_out(self._contract, scope)])

    def _reason(self, scope: Scope) -> Sql:
        found = taken_out(self._contract, scope)
        each = [sql("CASE WHEN {} THEN {} END", condition, value(check)) for check, condition in found]
        return sql("concat_ws(', ', {})", listed(each)) if each else sql("''")

    @property
    def _identity(self) -> Sequence[Sql]:
        return [name(self._line)] if self._line else [name(column) for column in self._columns]

    def _kept(self, *, numbered: bool) -> tuple[Sql, Mapping[str, str]]:
        """Return the rows that are not taken out, and what each of their columns is to be called."""
        scope = self._scope(numbered=numbered)
        bad = self._bad(scope)
        names = {f"c{at}": column for at, column in enumerate([self._line] if self._line else self._columns)}
        besides = {alias: name(column) for alias, column in names.items()}
        rows = scope.rows(besides={**besides, **({"n_": name(self._n)} if numbered else {})})
        return sql("(SELECT * FROM {} WHERE NOT {}) AS kept_", rows, bad), names

    def _counted(self) -> Sql:
        rows, names = self._kept(numbered=True)
        alike = listed([sql(alias) for alias in names])
        again = sql("row_number() OVER (PARTITION BY {} ORDER BY n_)", alike)
        return sql("(SELECT *, {} AS again_ FROM {}) AS counted_", again, rows)

    def _named(self, aliases: Sequence[str]) -> Sql:
        names = [self._line] if self._line else [*self._columns]
        return listed([sql(f"{alias} AS {{}}", name(each)) for alias, each in zip(aliases, names, strict=True)])


def _object(pairs: Sequence[tuple[str, Sql]]) -> Sql:
    return sql("json_object({})", listed([part for key, each in pairs for part in (value(key), each)]))


def _unused(wanted: str, taken: Sequence[str] | set[str]) -> str:
    while wanted.casefold() in {each.casefold() for each in taken}:
        wanted += "_"
    return wanted
