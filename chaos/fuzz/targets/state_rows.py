"""Rows of the store that no engine wrote: whatever stands in a column is a StoreError, or is read as what it is."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

from chaos.fuzz.given import folder, joined, put, sections
from chaos.fuzz.small_state import look_at_everything, whole_state
from zen_agents.adapters.ledger_audit import export, verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import ZenError

SEEDS = (
    joined(b"ledger.body", b'"[]"'),
    joined(b"ledger.body", b'"{"'),
    joined(b"ledger.kind", b'"odd"'),
    joined(b"ledger.wall_us", b"1e30"),
    joined(b"ledger.hash", b'"text"'),
    joined(b"ledger.body_hash", b"5"),
    joined(b"ledger.wall_us", b"9223372036854775807"),
    joined(b"incidents.severity", b'"odd"'),
    joined(b"incidents.state", b"5"),
    joined(b"incidents.opened_wall", b"1e300"),
    joined(b"actions.plan", b'"["'),
    joined(b"actions.effect", b"null"),
    joined(b"actions.kind", b'""'),
    joined(b"outbox.message", b'"{}"'),
    joined(b"observations.facts", b'"[1]"'),
    joined(b"observations.status", b"7"),
    joined(b"breakers.failed_at", b'"x"'),
    joined(b"facts.value", b'"not json"'),
    joined(b"brakes.since_wall", b"1e300"),
    joined(b"agents.state", b'"x"'),
    joined(b"usage.seen_wall", b'"x"'),
    joined(b"leases.until", b'"x"'),
    joined(b"ledger.body", b'"' + b"[" * 3000 + b'"'),
)
WORDS = (b'"', b"null", b"1e400", b"-1", b"{}", b"[]", b"9223372036854775807", b"\\u0000", b"\\ud800")


def fuzz(data: bytes) -> None:
    """Write one value into one column of every row, and read everything."""
    where, what = sections(data, 2)
    path = put(folder("state-rows") / "state.db", whole_state())
    for beside in ("state.db-wal", "state.db-shm"):
        path.with_name(beside).unlink(missing_ok=True)
    _write(path, where.decode("ascii", "replace"), what)
    with contextlib.suppress(ZenError):
        verify(path)
    with contextlib.suppress(ZenError):
        list(export(path))
    with contextlib.suppress(ZenError), contextlib.closing(SqliteStore.open_read_only(path)) as store:
        look_at_everything(store)


def _write(path: Path, column: str, value: bytes) -> None:
    """Write a JSON value into a column `TABLE.COLUMN`; what SQLite does not take is left out."""
    table, _, name = column.partition(".")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        columns = _columns(connection)
        if (table, name) not in columns:
            # Any other text names one of them all the same, so that a coverage-guided search reaches every column.
            table, name = columns[sum(column.encode()) % len(columns)]
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        with contextlib.suppress(sqlite3.Error, OverflowError, UnicodeError):
            connection.execute(f'UPDATE "{table}" SET "{name}" = ?', (_plain(value),))


def _columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    query = (
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2"
    )
    return [(str(table), str(column)) for table, column in connection.execute(query)]


def _plain(value: bytes) -> object:
    """Return what JSON says, or the bytes themselves where it is none, or no value that SQLite could hold."""
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return said if isinstance(said, str | int | float | None) else value
