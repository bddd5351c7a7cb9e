"""Questions to the state's SQLite file, and failures told with their next step; who only looks at a state loads no more.

Every failure is a `StoreError`.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from zen_agents.errors import StoreError
from zen_agents.store.statements import SQL

Params = Mapping[str, Any] | Sequence[Any]
Noun = TypeVar("Noun")

#: How long a statement waits for another process's lock; the engine's loop stands still meanwhile.
BUSY_SECONDS = 0.25
#: Less than this free is a full disk.
_ROOM_BYTES = 64 * 1024

#: What a row of another shape raises when a noun is made of it: an odd type, word, number or JSON.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)
#: What a damaged file or a disk raises; what `sqlite3` says of a damaged file may itself be no text.
FAILURES = (sqlite3.Error, OSError, OverflowError, UnicodeError)


class DiskFullError(StoreError):
    """The disk with the state is full; free some space, then lift safe mode if `zen-agents status` says that it is on."""


class StateReader:
    """A connection that is asked, by the names of statements."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection, self.path = connection, path

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself, for schema and retention."""
        return self._connection

    def read(self, name: str, params: Params = ()) -> list[Any]:
        """Return all rows of a statement; raises StoreError."""
        try:
            return self._connection.execute(SQL[name], params).fetchall()
        except FAILURES as error:
            raise store_error(error, self.path) from error

    def read_one(self, name: str, params: Params = ()) -> Any | None:
        """Return the first row of a statement or None; raises StoreError."""
        rows = self.read(name, params)
        return rows[0] if rows else None

    def read_as(self, build: Callable[[Any], Noun], name: str, params: Params = ()) -> list[Noun]:
        """Return what `build` makes of each row of a statement.

        Raises StoreError, also for a row that no engine wrote: whoever reads the state knows what to do about that one.
        """
        try:
            return [build(row) for row in self.read(name, params)]
        except _UNREADABLE as error:
            raise damaged(self.path, f"{name}: a row cannot be read: {type(error).__name__}: {error}"[:300]) from error

    def read_one_as(self, build: Callable[[Any], Noun], name: str, params: Params = ()) -> Noun | None:
        """Return what `build` makes of the first row of a statement, None if there is none; StoreError as `read_as`."""
        found = self.read_as(build, name, params)
        return found[0] if found else None

    def count(self, name: str, params: Params = ()) -> int:
        """Return the number that a statement counts; raises StoreError."""
        row = self.read_one(name, params)
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close."""
        self._connection.close()


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Connect to the state for looking: works beside a running engine, after a dead one, and on a newer schema."""
    if not path.is_file():
        raise StoreError(f"There is no state at {path}; look at --state-dir, or start the engine: zen-agents run.")
    failed: BaseException | None = None
    # Without write permission on the directory SQLite cannot make the index of the log; if there is no log, none is needed.
    log = path.with_name(path.name + "-wal")
    modes = ["mode=ro"] if log.exists() and log.stat().st_size else ["mode=ro", "mode=ro&immutable=1"]
    for mode in modes:
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?{mode}", uri=True, timeout=BUSY_SECONDS * 4, isolation_level=None
            )
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return connection
        except FAILURES as error:
            failed = failed or error
            if connection is not None:
                connection.close()
    raise store_error(failed or OSError("cannot be opened"), path) from failed


def store_error(error: BaseException, path: Path) -> StoreError:
    """Return a StoreError that says what to do about `error`."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or isinstance(error, UnicodeDecodeError):
        return damaged(path, str(error))
    full = name.startswith("SQLITE_FULL") or getattr(error, "errno", None) == errno.ENOSPC
    # The log's index cannot grow on a full disk, and SQLite calls that an I/O error.
    if full or (name.startswith("SQLITE_IOERR") and _has_no_room(path.parent)):
        advice = "free some space, then lift safe mode if `zen-agents status` says that it is on"
        return DiskFullError(f"{path}: {error}. The disk is full; {advice}.")
    for prefix, advice in _ADVICE.items():
        if name.startswith(prefix):
            return StoreError(f"{path}: {error}. {advice}")
    return StoreError(f"{path}: {error}. Look at the disk and at: zen-agents status.")


def _has_no_room(folder: Path) -> bool:
    try:
        free = os.statvfs(folder)
    except OSError:
        # What the error itself says is told then.
        return False
    return free.f_bavail * free.f_frsize < _ROOM_BYTES


def damaged(path: Path, what: str) -> StoreError:
    """Return the StoreError for a state that is damaged."""
    return StoreError(
        f"{path} is damaged ({what}). Stop the engine, keep the file for evidence (mv {path} {path}.damaged, and the same "
        f"for {path.name}-wal), then restore a backup or a copy {path.name}.before-*, or start with an empty state."
    )


_ADVICE = {
    "SQLITE_BUSY": "Another process holds the state; find it with: fuser -v on the file.",
    "SQLITE_LOCKED": "Another process holds the state; find it with: fuser -v on the file.",
    "SQLITE_READONLY": "The file or its file system is read-only; look at the mount and the file's mode.",
    "SQLITE_IOERR": "The disk reported an error; look at: dmesg, and df on the state directory.",
    "SQLITE_CANTOPEN": "It cannot be opened; look at the owner and mode of the state directory.",
}
