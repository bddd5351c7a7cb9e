"""What a PostgreSQL says of a table whose rows are to be repaired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.identifiers import qualified
from zen_agents.datasets.sql import Sql, sql, value
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.table_shape import TableShape

_TABLES: Final = ("r", "p")
#: What a cast to these words would cut to one character, and how the same type is written without that.
_UNCUT: Final = {"character": "bpchar", "bit": '"bit"', "character[]": "bpchar[]", "bit[]": '"bit"[]'}
_FOUND: Final = "SELECT CAST(oid AS bigint), CAST(relkind AS text) FROM pg_catalog.pg_class WHERE oid = to_regclass({})"
_COLUMNS: Final = """
SELECT CAST(attname AS text), format_type(atttypid, NULL), attgenerated <> ''
FROM pg_catalog.pg_attribute WHERE attrelid = CAST({} AS oid) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_KEYS: Final = """
SELECT CAST(a.attname AS text), CAST(i.indexrelid AS bigint) FROM pg_catalog.pg_index i
CROSS JOIN LATERAL unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS k(attnum, at)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = CAST({} AS oid) AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL AND k.at <= i.indnkeyatts
  AND NOT EXISTS (SELECT 1 FROM unnest(CAST(i.indkey AS int2[])) AS n(attnum) JOIN pg_catalog.pg_attribute b
                  ON b.attrelid = i.indrelid AND b.attnum = n.attnum WHERE NOT b.attnotnull)
ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.at
"""
#: Triggers at UPDATE and DELETE, and rules that stand for them.
_TRIGGERS: Final = """
SELECT CAST(tgname AS text) FROM pg_catalog.pg_trigger
WHERE tgrelid = CAST({} AS oid) AND NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & 24) <> 0
UNION ALL SELECT CAST(rulename AS text) FROM pg_catalog.pg_rewrite
WHERE ev_class = CAST({} AS oid) AND ev_type IN ('2', '4') AND ev_enabled <> 'D' ORDER BY 1
"""
#: Who refers to it, and columns that are referred to, where the other row goes or changes along.
_REFERRERS: Final = """
SELECT CAST(CAST(c.conrelid AS regclass) AS text), confdeltype IN ('c', 'n', 'd'), confupdtype IN ('c', 'n', 'd'),
       CAST(a.attname AS text)
FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL unnest(c.confkey) AS k(attnum)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum
WHERE c.contype = 'f' AND c.confrelid = CAST({} AS oid) ORDER BY 1
"""

Rows = Callable[[Sql], Sequence[Sequence[Any]]]


def shape_of(table: str, rows: Rows, dialect: Dialect) -> TableShape:
    """Return what a table is; BackendError if there is none, or its rows are not its own."""
    quoted = qualified(table)
    found = rows(sql(_FOUND, value(quoted)))
    if not found:
        raise BackendError(f"there is no table {table}", is_damage=True)
    number, kind = value(int(found[0][0])), str(found[0][1])
    if kind not in _TABLES:
        raise BackendError(f"{table} is no table of its own rows; name the table behind it")
    columns = [(str(name), str(stored), bool(computed)) for name, stored, computed in rows(sql(_COLUMNS, number))]
    referrers = rows(sql(_REFERRERS, number))
    return TableShape(
        Sql((quoted,)),
        {name: dialect.family(stored) for name, stored, _ in columns},
        {name: _UNCUT.get(stored, stored) for name, stored, _ in columns},
        _first_key(rows(sql(_KEYS, number))),
        (sql("CAST(tableoid AS text)"), sql("CAST(ctid AS text)")),
        frozenset(name for name, _, computed in columns if computed),
        tuple(str(each[0]) for each in rows(sql(_TRIGGERS, number, number))),
        tuple(dict.fromkeys(str(each[0]) for each in referrers if each[1])),
        frozenset(str(each[3]) for each in referrers if each[2]),
    )


def _first_key(found: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Return the columns of the first index."""
    return tuple(str(name) for name, index in found if index == found[0][1])
