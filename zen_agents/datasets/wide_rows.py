"""Repetitions of rows that are too wide to be compared at once: a digest of each, made of a few columns after the other.

DuckDB holds two thousand rows at a time with all the columns that a query names. The digest is SHA-256 over the lengths and
texts of all values, so rows have the same one if they are the same, and nobody can make others that have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol, runtime_checkable

from zen_agents.datasets.contract import ColumnType, Limits
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.measure import Measured
from zen_agents.datasets.sql import Sql, listed, name, sql
from zen_agents.datasets.table import Backend, Table

#: What comparing whole rows takes for each column at least, whatever stands in it, in each thread.
_BYTES_PER_COLUMN: Final = 104 << 10
#: So much of the memory is for what the columns take; the reader and the digests want the rest.
_SHARE: Final = 4
_FEWEST: Final = 50


@runtime_checkable
class Keeps(Backend, Protocol):
    """A database that keeps rows of its own, in their order."""

    def keep(self, table: str, query: Sql) -> None:
        """Keep the rows of a query, in their order, as a table of this program's own name."""
        ...


def groups_of(table: Table, limits: Limits) -> Sequence[Sequence[str]]:
    """Return the columns by as many at a time as there is memory for."""
    columns, most = [*table.columns], max(_FEWEST, limits.memory_bytes // limits.threads // _SHARE // _BYTES_PER_COLUMN)
    return [columns[at : at + most] for at in range(0, len(columns), most)]


def repeated(table: Table, groups: Sequence[Sequence[str]], backend: Keeps, told: Callable[[int], None]) -> Measured:
    """Return how many rows repeat another one; `told` is told which group is gone through."""
    before = ""
    for number, columns in enumerate(groups):
        told(number)
        digest = _digest(table, columns, backend.dialect, goes_on=bool(before))
        rows = sql("(SELECT {} FROM {}) AS rows_", listed([name(each) for each in columns]), table.relation)
        beside = sql(f"{before} POSITIONAL JOIN {{}}", rows) if before else rows
        backend.keep(f"digests_{number}", sql("SELECT {} AS digest_ FROM {}", digest, beside))
        if before:
            backend.rows(sql(f"DROP TABLE {before}"))
        before = f"digests_{number}"
    ((failed, total),) = backend.rows(sql("SELECT count(*) - count(DISTINCT digest_), count(*) FROM {}", sql(before)))
    backend.rows(sql(f"DROP TABLE {before}"))
    return Measured(int(failed), int(total))


def _digest(table: Table, columns: Sequence[str], dialect: Dialect, *, goes_on: bool) -> Sql:
    parts = [part for column in columns for part in _told_apart(name(column), table.columns[column], dialect)]
    return sql("sha256(concat({}))", listed([sql("digest_"), *parts] if goes_on else parts))


def _told_apart(raw: Sql, held: ColumnType, dialect: Dialect) -> Iterator[Sql]:
    """Yield a value as texts that no other value of its type gives; a missing one is neither of them."""
    # Zero is zero, whatever its sign: so SQL compares.
    text = dialect.text(sql("({} + 0)", raw) if held is ColumnType.NUMBER else raw, held)
    yield sql("strlen({})", text)
    yield sql("':'")
    yield text
