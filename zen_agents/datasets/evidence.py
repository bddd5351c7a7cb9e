"""Which rows failed: their numbers, keys and values, as few as a person looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from zen_agents.datasets.contract import Check, Contract
from zen_agents.datasets.expression import condition
from zen_agents.datasets.finding import MOST_TEXT, Cell, FailingRow
from zen_agents.datasets.measure import Answered, Ask, Rows
from zen_agents.datasets.questions import Holds, Unique, columns_of
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, listed, sql
from zen_agents.datasets.table import Table

#: Asks the database.
Answer = Callable[[Sql], Rows]


def failing_rows(ask: Ask, told: Answered, failed: int, scope: Scope, answer: Answer) -> tuple[FailingRow, ...]:
    """Return the first rows that fail, in the order of the source; () for what is not about single rows.

    Not more than have `failed` are looked for: behind the last of a few the source is not read to its end.
    """
    most = min(failed, scope.contract.limits.evidence_rows)
    if not most or ask.failing is None:
        return ()
    if ask.known is not None and (known := ask.known(told)):
        return known[:most]
    look = _Look(ask.check, partial(_told_so, ask.failing, told), scope, most)
    return tuple(islice(_rows(look, scope, answer), most))


def _told_so(failing: Callable[[Scope, Answered], Sql], told: Answered, scope: Scope) -> Sql:
    return failing(scope, told)


def _rows(look: _Look, scope: Scope, answer: Answer) -> Iterator[FailingRow]:
    if scope.table.file is None or scope.table.of_file is None:
        yield from look.read(answer(look.query(scope.table)), "")
        return
    # Rows are numbered within their file, so each file that has some is asked by itself.
    for (file,) in answer(look.files(scope.table.file)):
        yield from look.read(answer(look.query(scope.table.of_file(str(file)))), str(file))


class _Look:
    """What is shown of each row, and how it is asked for."""

    def __init__(self, check: Check, failing: Callable[[Scope], Sql], scope: Scope, most: int) -> None:
        self._failing, self._scope = failing, scope
        self._limit = sql(str(most))
        there = scope.table.columns
        self._keys = [each for each in keys_of(scope.contract) if each in there]
        asked = check.asks
        named = condition(asked.sql).columns if isinstance(asked, Holds) else columns_of(asked)
        self._cells = [each for each in named if each in there and each not in self._keys]

    def query(self, table: Table) -> Sql:
        """Return the query of rows that fail."""
        scope = Scope(self._scope.contract, table, self._scope.dialect)
        fails = self._failing(scope)
        shown = [scope.shown(column, MOST_TEXT) for column in (*self._keys, *self._cells)]
        number = {"number_": table.number} if table.number is not None else {}
        wanted = listed([sql("number_") if number else sql("NULL"), *shown])
        return sql("SELECT {} FROM {} WHERE {} LIMIT {}", wanted, scope.rows(besides=number), fails, self._limit)

    def files(self, file: Sql) -> Sql:
        """Return the query of the first files that have such rows."""
        scope = self._scope.afresh()
        fails = self._failing(scope)
        first = sql("SELECT file_ FROM {} WHERE {} LIMIT {}", scope.rows(besides={"file_": file}), fails, self._limit)
        return sql("SELECT DISTINCT file_ FROM ({}) AS first_ ORDER BY 1", first)

    def read(self, rows: Rows, file: str) -> Iterator[FailingRow]:
        """Yield what the first query answered."""
        for number, *texts in rows:
            cells = [Cell(*each) for each in zip((*self._keys, *self._cells), texts, strict=True)]
            split = len(self._keys)
            yield FailingRow(None if number is None else int(number), file, tuple(cells[:split]), tuple(cells[split:]))


def keys_of(contract: Contract) -> Sequence[str]:
    """Return the columns by which a row is named: those that the contract says, else its first unique key."""
    uniques: Iterable[tuple[str, ...]] = (each.asks.columns for each in contract.checks if isinstance(each.asks, Unique))
    return contract.limits.keys or next(iter(uniques), ())
