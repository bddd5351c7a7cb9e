"""A disk that fails under SQLite: at the nth statement from now, once, as the database itself would say it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

#: What SQLite says; the last two roll the open transaction back by themselves.
ERRORS = {
    "busy": ("SQLITE_BUSY", "database is locked"),
    "full": ("SQLITE_FULL", "database or disk is full"),
    "eio": ("SQLITE_IOERR_WRITE", "disk I/O error"),
}
_CHANGES = ("INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT")


@dataclass(slots=True)
class StoreFault:
    """Which statement fails next, and how; it lasts over restarts of the engine."""

    kind: str = ""
    #: Changing statements that still succeed before.
    after: int = 0
    #: Statements that fail then.
    times: int = 0

    def strikes(self, sql: str) -> str:
        """Count a statement; return the kind of its failure, "" if it succeeds."""
        if not self.times or not sql.lstrip().upper().startswith(_CHANGES):
            return ""
        # Only who wants to begin can find the database locked.
        if self.kind == "busy" and not sql.startswith("BEGIN"):
            return ""
        if self.after:
            self.after -= 1
            return ""
        self.times -= 1
        return self.kind


class FaultyConnection:
    """A `sqlite3.Connection` with such a disk below it."""

    def __init__(self, connection: sqlite3.Connection, fault: StoreFault) -> None:
        self._connection, self._fault = connection, fault

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, params: Any = ()) -> sqlite3.Cursor:
        self._strike(sql)
        return self._connection.execute(sql, params)

    def executemany(self, sql: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        self._strike(sql)
        return self._connection.executemany(sql, rows)

    def executescript(self, sql: str) -> sqlite3.Cursor:
        return self._connection.executescript(sql)

    def close(self) -> None:
        self._connection.close()

    def _strike(self, sql: str) -> None:
        kind = self._fault.strikes(sql)
        if not kind:
            return
        name, words = ERRORS[kind]
        if kind != "busy" and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        error = sqlite3.OperationalError(words)
        error.sqlite_errorname = name
        raise error


def put_under(store: Any, fault: StoreFault) -> Callable[[], None]:
    """Lay such a disk under an open store; return what cuts the store off from it, as the death of its process does."""
    file = store._file
    # Nobody else looks at a state that lives, and no power goes: what SQLite asks the kernel for on that account is waste.
    file._connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone()
    file._connection.execute("PRAGMA synchronous = OFF")
    faulty = FaultyConnection(file._connection, fault)
    # Writes go by the cursor, the rest by the connection: one disk is below both.
    file._connection = file._cursor = faulty
    return lambda: cut_off(store)


def cut_off(store: Any) -> None:
    """Close the connection of a store, whatever it was at, as the death of its process does."""
    store._file._connection.close()
