"""Keys that several rows have, in DuckDB's SQL: most are told to be alone before any is grouped, which is what costs.

Keys that rise from row to row are all different. Of whole numbers that lie close together each has one bit: a block of them
with as many bits as rows has no twins in it. What is left is grouped, and spills to disk. Nothing of this is by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from zen_agents.datasets.sql import Sql, joined, listed, sql

#: Numbers that are the same but for their last 16 bits are a block; it takes 8 KiB.
_LAST_BITS: Final = (1 << 16) - 1
#: Numbers lie close together if each that is there had at most so many bits: to group it takes more.
_MOST_BITS_EACH: Final = 16


def all_there(keys: Sequence[Sql]) -> Sql:
    """Return the condition of rows in which no part of a key is missing."""
    return joined(" AND ", [sql("{} IS NOT NULL", each) for each in keys])


def falls(name: Sql, rows: Sql, keys: Sequence[Sql]) -> Sql:
    """Return a part of a WITH that has one row, unless the keys rise all along: beside other rows it leaves them, or none.

    The rows are gone through in one order, whichever, to the first that does not rise; nothing of them is kept.
    """
    key = keys[0] if len(keys) == 1 else sql("row({})", listed(keys))
    beside = sql("SELECT {} AS key_, lag({}) OVER () AS before_ FROM {} WHERE {}", key, key, rows, all_there(keys))
    return sql("{} AS MATERIALIZED (SELECT 1 AS one_ FROM ({}) WHERE NOT key_ > before_ LIMIT 1)", name, beside)


def twins(name: Sql, rows: Sql, keys: Sequence[Sql], *, is_whole: bool, most_bits: int) -> Sequence[Sql]:
    """Return parts of a WITH, the last with every key that several rows have, and as `n` how many.

    Args:
        name: what the last part is called; the others have names that begin with it.
        rows: what stands behind FROM.
        keys: the columns of a key, by names that may stand on their own.
        is_whole: whether the key is one whole number.
        most_bits: so many numbers may have a bit, between the least and the most.
    """
    maybe = name + sql("maybe_")
    before = [*_suspects(name, maybe, rows, keys[0], most_bits)] if is_whole else []
    query = sql(
        "SELECT {}, count(*) AS n FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1",
        listed(keys), maybe if before else rows, all_there(keys), listed(keys),
    )  # fmt: skip
    return [*before, sql("{} AS MATERIALIZED ({})", name, query)]


def _suspects(name: Sql, maybe: Sql, rows: Sql, key: Sql, most_bits: int) -> Iterator[Sql]:
    """Yield parts of a WITH, the last with the numbers of blocks of more rows than bits; with all if they lie apart."""
    close, crowded = name + sql("close_"), name + sql("crowded_")
    yield sql(
        "{} AS MATERIALIZED (SELECT coalesce(CAST(max({}) AS DOUBLE) - CAST(min({}) AS DOUBLE) < least({} * count({}), {}),"
        " false) AS is_close FROM {})",
        close, key, key, sql(str(_MOST_BITS_EACH)), key, sql(str(most_bits)), rows,
    )  # fmt: skip
    block, last = sql("({} >> 16)", key), sql(str(_LAST_BITS))
    yield sql(
        "{} AS MATERIALIZED (SELECT {} AS block FROM {}, {} WHERE is_close AND {} IS NOT NULL GROUP BY ALL"
        " HAVING count(*) > bit_count(bitstring_agg({} & {}, 0, {})))",
        crowded, block, rows, close, key, key, last, last,
    )  # fmt: skip
    yield sql(
        "{} AS NOT MATERIALIZED (SELECT {} FROM {}, {} WHERE NOT is_close"
        " UNION ALL SELECT {} FROM {} WHERE {} IN (SELECT block FROM {}))",
        maybe, key, rows, close, key, rows, block, crowded,
    )  # fmt: skip
