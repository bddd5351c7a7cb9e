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
SELECT CAST(attname AS text), format_type(atttypid, NULL), attgenerated <> '', attidentity = 'a'
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
#: The table, and all that its rows lie in: partitions, and what inherits from it.
_PARTS: Final = """
WITH RECURSIVE whole(id) AS (SELECT CAST({} AS oid)
  UNION SELECT inhrelid FROM pg_catalog.pg_inherits JOIN whole ON inhparent = id)
SELECT CAST(oid AS bigint), CAST(relname AS text), CAST(relkind AS text) FROM whole JOIN pg_catalog.pg_class ON oid = id
"""
#: Triggers at UPDATE and DELETE, and at INSERT where rows may go to another partition; rules that stand for them.
_TRIGGERS: Final = """
SELECT CAST(tgname AS text) FROM pg_catalog.pg_trigger
WHERE tgrelid = ANY (CAST({} AS oid[])) AND NOT tgisinternal AND tgenabled <> 'D' AND (tgtype & {}) <> 0
UNION SELECT CAST(rulename AS text) FROM pg_catalog.pg_rewrite
WHERE ev_class = ANY (CAST({} AS oid[])) AND ev_type IN ('2', '4') AND ev_enabled <> 'D' ORDER BY 1
"""
_INSERT, _DELETE, _UPDATE = 4, 8, 16
#: Who refers to it, and columns that are referred to, where the other row goes or changes along.
_REFERRERS: Final = """
SELECT CAST(CAST(c.conrelid AS regclass) AS text), confdeltype IN ('c', 'n', 'd'), confupdtype IN ('c', 'n', 'd'),
       CAST(a.attname AS text)
FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL unnest(c.confkey) AS k(attnum)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum
JOIN pg_catalog.pg_class r ON r.oid = c.conrelid AND NOT r.relispartition
WHERE c.contype = 'f' AND c.confrelid = ANY (CAST({} AS oid[])) ORDER BY 1
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
    parts = rows(sql(_PARTS, number))
    _refuse_parts(table, kind, parts)
    whole = value([str(each[0]) for each in parts])
    started_by = value(_UPDATE | _DELETE | (_INSERT if kind == "p" else 0))
    told = rows(sql(_COLUMNS, number))
    columns = [(str(each[0]), str(each[1])) for each in told]
    referrers = rows(sql(_REFERRERS, whole))
    return TableShape(
        Sql((quoted,)),
        {name: dialect.family(stored) for name, stored in columns},
        {name: _UNCUT.get(stored, stored) for name, stored in columns},
        _first_key(rows(sql(_KEYS, number))),
        (sql("CAST(tableoid AS text)"), sql("CAST(ctid AS text)")),
        frozenset(str(name) for name, _, is_computed, _ in told if is_computed),
        tuple(str(each[0]) for each in rows(sql(_TRIGGERS, whole, started_by, whole))),
        tuple(dict.fromkeys(str(each[0]) for each in referrers if each[1])),
        frozenset(str(each[3]) for each in referrers if each[2]),
        frozenset(str(name) for name, _, _, is_given in told if is_given),
    )


def _refuse_parts(table: str, kind: str, parts: Sequence[Sequence[Any]]) -> None:
    """Refuse a table of whose rows some are reached otherwise, or whose keys do not hold for all of them."""
    if kind == "r" and len(parts) > 1:
        raise BackendError(f"other tables inherit from {table}, and its keys do not hold for them; name each by itself")
    if elsewhere := [str(name) for _, name, part in parts if part not in _TABLES]:
        raise BackendError(f"a part of {table} lies elsewhere ({elsewhere[0]}); name the parts that are its own")


def _first_key(found: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Return the columns of the first index."""
    return tuple(str(name) for name, index in found if index == found[0][1])
