"""Questions about keys: whether they are unique, whether whole rows are, and whether another data set has them.

Grouping is what costs, and spills to disk; `twins` tells of most keys without. In a text file it is done within the one pass
over the rows; where reading one column is cheap (Parquet), by a query over the key alone; and a database counts different
values first, and groups only where some are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from zen_agents.datasets.contract import Check
from zen_agents.datasets.finding import MOST_TEXT, Cell, FailingRow
from zen_agents.datasets.measure import Answered, Ask, Measured, Pass
from zen_agents.datasets.questions import References, Unique
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, joined, listed, sql, value
from zen_agents.datasets.twins import all_there, falls, twins

#: In a text of more rows than this, twins are shown by their keys: to find their numbers it would be read once more.
_MOST_SOUGHT: Final = 1_000_000


def unique(check: Check, asked: Unique, scope: Scope, main: Pass) -> Ask:
    """Return how rows that have a twin are counted."""
    most = max(1, scope.contract.limits.evidence_rows)
    is_whole = len(asked.columns) == 1 and scope.is_whole(asked.columns[0])
    if scope.table.keeps_facts:
        count, some = main.grouped([scope.value(column) for column in asked.columns], most, is_whole=is_whole)
        return Ask(
            check, lambda told: Measured(int(told.numbers[count]), told.total),
            failing=lambda each, told: _has_text_key(each, asked.columns, told.numbers[some] or ()),
            known=lambda told: _by_key(asked.columns, told.numbers[some] or ()) if told.total > _MOST_SOUGHT else (),
        )  # fmt: skip
    read, failing = partial(_grouped, len(asked.columns)), partial(_has_key, asked.columns)
    if scope.table.is_columnar:
        return Ask(check, None, _twins_by_column(scope.afresh(), asked.columns, most, is_whole=is_whole), read, failing)
    values = [scope.value(column) for column in asked.columns]
    there = main.count_if(all_there(values))
    different = main.aggregate(lambda _: scope.dialect.count_distinct(values), values[0])
    exactly = _twins(scope.afresh(), asked.columns, most)
    return Ask(
        check, lambda told: Measured(told.numbers[there] - told.numbers[different], told.total), exactly, read, failing
    )


def _twins(scope: Scope, columns: Sequence[str], most: int) -> Sql:
    """Return the query of the least keys that several rows have, and of how many rows have any such key."""
    values = [scope.value(column) for column in columns]
    groups = sql(
        "SELECT {}, count(*) AS n FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1",
        _as_keys(values), scope.rows(), all_there(values), listed(values),
    )  # fmt: skip
    names = listed(_key_names(columns))
    return sql("SELECT {}, sum(n) OVER () FROM ({}) AS twins_ ORDER BY {} LIMIT {}", names, groups, names, sql(str(most)))


def _twins_by_column(scope: Scope, columns: Sequence[str], most: int, *, is_whole: bool) -> Sql:
    """Return the same query for files of which columns are read by themselves, so that going through a key costs little."""
    keys, values = _key_names(columns), _as_keys([scope.value(column) for column in columns])
    most_bits = scope.contract.limits.memory_bytes
    parts = [
        sql("keys_ AS NOT MATERIALIZED (SELECT {} FROM {})", values, scope.rows()),
        falls(sql("falls_"), sql("keys_"), keys),
        *twins(sql("twins_"), sql("keys_, falls_"), keys, is_whole=is_whole, most_bits=most_bits),
    ]
    least = sql("ORDER BY {} LIMIT {}", listed(keys), sql(str(most)))
    return sql("WITH {} SELECT {}, sum(n) OVER () FROM twins_ {}", listed(parts), listed(keys), least)


def _grouped(columns: int, told: Answered) -> Measured:
    return Measured(int(told.rows[0][columns]) if told.rows else 0, told.total)


def _has_key(columns: Sequence[str], scope: Scope, told: Answered) -> Sql:
    values = [scope.value(column) for column in columns]
    keys = ([sql("{} = {}", *pair) for pair in zip(values, map(value, row[:-1]), strict=True)] for row in told.rows)
    return joined(" OR ", [sql("({})", joined(" AND ", key)) for key in keys])


def _has_text_key(scope: Scope, columns: Sequence[str], keys: Sequence[Sequence[str]]) -> Sql:
    texts = [sql("CAST({} AS VARCHAR)", scope.value(column)) for column in columns]
    each = ([sql("{} = {}", *pair) for pair in zip(texts, map(value, key), strict=True)] for key in keys)
    return joined(" OR ", [sql("({})", joined(" AND ", key)) for key in each])


def _by_key(columns: Sequence[str], keys: Sequence[Sequence[str]]) -> tuple[FailingRow, ...]:
    return tuple(
        FailingRow(None, keys=tuple(Cell(column, text[:MOST_TEXT]) for column, text in zip(columns, key, strict=True)))
        for key in keys
    )


def no_duplicates(check: Check, scope: Scope, main: Pass) -> Ask:
    """Return how repetitions of whole rows are counted: by a fingerprint of each row, then, if two agree, by all of it."""
    alone = scope.afresh()
    raws = [alone.raw(column) for column in scope.table.columns]
    repeated = sql("SELECT count(*) - 1 AS n FROM {} GROUP BY {} HAVING count(*) > 1", alone.rows(), listed(raws))
    exactly = sql("SELECT coalesce(sum(n), 0) FROM ({}) AS repeated_", repeated)
    fingerprint = scope.dialect.fingerprint([scope.raw(column) for column in scope.table.columns])
    different = main.aggregate(partial(sql, "count(DISTINCT {})"), fingerprint)
    return Ask(check, lambda told: Measured(told.total - told.numbers[different], told.total), exactly, _counted)


def references(check: Check, asked: References, scope: Scope, other: Scope | str | None) -> Ask:
    """Return how rows are counted whose key the other data set does not have."""
    if not isinstance(other, Scope):
        return Ask(check, unknown=other or f"there is no data set {asked.dataset!r}")
    theirs, alone = other.afresh(), scope.afresh()
    keys = _as_keys([theirs.value(column) for column in asked.other_columns])
    there = sql("SELECT DISTINCT {} FROM {}", keys, theirs.rows())
    missing = _is_not_among(alone, asked.columns, there)
    exactly = sql("SELECT count(*) FROM {} WHERE {}", alone.rows(), missing)
    return Ask(check, None, exactly, _counted, lambda each, _: _is_not_among(each, asked.columns, there))


def _is_not_among(scope: Scope, columns: Sequence[str], there: Sql) -> Sql:
    values = [scope.value(column) for column in columns]
    same = joined(" AND ", [sql(f"{{}} = theirs_.k{number}", each) for number, each in enumerate(values)])
    return sql("{} AND NOT EXISTS (SELECT 1 FROM ({}) AS theirs_ WHERE {})", all_there(values), there, same)


def _as_keys(values: Sequence[Sql]) -> Sql:
    return listed([sql(f"{{}} AS k{number}", each) for number, each in enumerate(values)])


def _key_names(columns: Sequence[str]) -> Sequence[Sql]:
    return [sql(f"k{number}") for number in range(len(columns))]


def _counted(told: Answered) -> Measured:
    return Measured(int(told.rows[0][0]), told.total)
