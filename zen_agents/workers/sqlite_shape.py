"""What an SQLite database says of a table whose rows are to be repaired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.identifiers import qualified
from zen_agents.datasets.sql import Sql, name, sql, value
from zen_agents.datasets.table import BackendError
from zen_agents.datasets.table_shape import TableShape

#: Names of the number that every row has, unless a column is called so.
_ROW_IDS: Final = ("rowid", "_rowid_", "oid")
_COLUMNS: Final = 'SELECT name, type, pk, hidden, "notnull" FROM pragma_table_xinfo({})'
_WITHOUT_ROWS: Final = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name = {} COLLATE NOCASE"
_UNIQUE: Final = """
SELECT l.name, i.name FROM pragma_index_list({}) AS l, pragma_index_info(l.name) AS i
WHERE l."unique" AND NOT l.partial ORDER BY l.seq DESC, i.seqno
"""
_TRIGGERS: Final = """
SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = {} COLLATE NOCASE ORDER BY name
"""
_REFERRERS: Final = """
SELECT m.name, f.on_delete, f.on_update, f."to" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f
WHERE m.type = 'table' AND f."table" = {} COLLATE NOCASE ORDER BY m.name
"""
_STAYS: Final = ("NO ACTION", "RESTRICT")
#: `pragma_table_xinfo`: columns of a virtual table that are not shown, and those that are computed.
_PLAIN: Final = 0

Rows = Callable[[Sql], Sequence[Sequence[Any]]]


def shape_of(table: str, rows: Rows, dialect: Dialect) -> TableShape:
    """Return what a table is; BackendError if there is none, or its rows are not its own."""
    called = table.rpartition(".")[2]
    found = rows(sql(_WITHOUT_ROWS, value(called)))
    if not found:
        raise BackendError(f"there is no such table: {table}; a view has no rows of its own", is_damage=True)
    if str(found[0][1]).upper().startswith("CREATE VIRTUAL"):
        raise BackendError(f"{table} is a virtual table; its rows are its module's")
    columns = [(str(each[0]), *each[1:]) for each in rows(sql(_COLUMNS, value(called)))]
    primary = tuple(each[0] for each in sorted(columns, key=lambda each: each[2]) if each[2])
    key = _key(columns, primary, rows(sql(_UNIQUE, value(called))))
    referrers = rows(sql(_REFERRERS, value(called)))
    return TableShape(
        Sql((qualified(table),)),
        {column: dialect.family(str(stored)) for column, stored, *_ in columns},
        {},
        key,
        _address(table, [each[0] for each in columns], primary, rows),
        frozenset(column for column, _, _, hidden, _ in columns if hidden != _PLAIN),
        tuple(str(each[0]) for each in rows(sql(_TRIGGERS, value(called)))),
        tuple(dict.fromkeys(str(each[0]) for each in referrers if each[1] not in _STAYS)),
        frozenset(str(each[3] or (primary or ("",))[0]) for each in referrers if each[2] not in _STAYS),
    )


def _key(columns: Sequence[Any], primary: tuple[str, ...], unique: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """Return the primary key, else the columns of a unique index that always have a value."""
    filled = {column for column, _, _, _, not_null in columns if not_null}
    keys = (tuple(str(column) for index, column in unique if index == each) for each in {row[0] for row in unique})
    return primary or min((key for key in keys if set(key) <= filled), key=lambda key: (len(key), key), default=())


def _address(table: str, columns: Sequence[str], primary: tuple[str, ...], rows: Rows) -> tuple[Sql, ...]:
    """Return where a row stands: its number, or its primary key in a table whose rows have none."""
    taken = {column.lower() for column in columns}
    for row_id in _ROW_IDS:
        if row_id in taken:
            continue
        try:
            rows(sql("SELECT {} FROM {} LIMIT 0", sql(row_id), Sql((qualified(table),))))
        except BackendError:
            break
        return (sql(row_id),)
    return tuple(name(column) for column in primary)
