"""One SQLite connection to the state, with its rule: writes gather in one transaction until `commit`.

Every failure is a `StoreError` whose text says the next step; the batch it happened in is gone as a whole. But what was
written as `lasting` is kept in memory then, and written again with the next batch.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from zen_agents.adapters.sqlite_store_ballast import drop_ballast
from zen_agents.errors import StoreError
from zen_agents.model.redaction import Redaction
from zen_agents.store.failpoint import failpoint
from zen_agents.store.statements import SQL

log = logging.getLogger("zen_agents.store")

#: Opens a database as `sqlite3.connect` does.
Connect = Callable[..., sqlite3.Connection]

Params = Mapping[str, Any] | Sequence[Any]
Noun = TypeVar("Noun")

#: How long a statement waits for another process's lock; the engine's loop stands still meanwhile.
BUSY_SECONDS = 0.25
#: The same after a write failed, until one succeeds: whatever holds the state may do so for long, and a turn writes often.
_STILL_BUSY_SECONDS = 0.01

#: A state larger than this is not read in full at each start; `doctor` does that.
QUICK_CHECK_UP_TO_BYTES = 64 * 1024 * 1024

#: Less than this free is a full disk.
_ROOM_BYTES = 64 * 1024

_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 500",
    "PRAGMA journal_size_limit = 8388608",
    # No temporary files: they could not be written on a full disk.
    "PRAGMA temp_store = MEMORY",
    # Half a megabyte of pages is enough for the few that a batch touches.
    "PRAGMA cache_size = -512",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
)

#: What a row of another shape raises when a noun is made of it: an odd type, word, number or JSON.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)
#: What `sqlite3` says of a damaged file may itself be no text.
_FAILURES = (sqlite3.Error, OSError, OverflowError, UnicodeError)


class DiskFullError(StoreError):
    """The disk with the state is full; free some space, then lift safe mode if `zen-agents status` says that it is on."""


class StateFile:
    """The connection. Use `read` for questions and `write` for changes; `writable` tells how the last write went."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        self._connection, self.path, self._read_only = connection, path, read_only
        #: All writes share one; a new one for each costs 2 % of a durable append.
        self._cursor = connection.cursor()
        self._pending = False
        #: Lasting writes by statement and key: those of the open batch, and those of lost batches, not written again yet.
        self._lasting: dict[tuple[str, str], Params] = {}
        self._owed: dict[tuple[str, str], Params] = {}
        self.writable = not read_only
        #: What is left out of whatever is written.
        self.redaction = Redaction()
        #: How many batches were dropped.
        self.lost_batches = 0
        #: Called when a batch was rolled back: whoever caches what the batch wrote forgets it.
        self.on_rollback: list[Callable[[], None]] = []
        #: Called when a batch is durable.
        self.on_commit: list[Callable[[], None]] = []

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself, for schema and retention."""
        return self._connection

    def read(self, name: str, params: Params = ()) -> list[Any]:
        """Return all rows of a statement; raises StoreError."""
        try:
            return self._connection.execute(SQL[name], params).fetchall()
        except _FAILURES as error:
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

    def begin(self) -> bool:
        """Open the batch if none is open; True if this call opened it."""
        if self._pending:
            return False
        if self._read_only:
            raise StoreError("The state was opened for reading only.")
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        except _FAILURES as error:
            raise self._failed(error) from error
        self._pending = True
        if self._owed:
            self._pay()
        return True

    def write(self, name: str, params: Params = ()) -> int:
        """Run a changing statement within the batch; return the rows changed. On an error the whole batch is gone."""
        if not self._pending:
            self.begin()
        try:
            return self._cursor.execute(SQL[name], params).rowcount
        except _FAILURES as error:
            raise self._failed(error) from error

    def write_lasting(self, name: str, key: str, params: Params) -> None:
        """Write within the batch what must not be lost with it; never raises for a state that cannot be written now.

        `writable` is False then, and the write is repeated with the next batch unless a newer one has the same key.
        """
        if self._read_only:
            raise StoreError("The state was opened for reading only.")
        self._lasting[name, key] = params
        try:
            self.write(name, params)
        except StoreError as error:
            # A batch that could not even begin has rolled nothing back.
            self._owe()
            log.error("written again as soon as possible: %s of %s (%s)", name, key, error)

    def write_kept(self, name: str, key: str, params: Params) -> None:
        """Write within the batch, and once more with the next one if this one is lost. Raises StoreError."""
        self.write(name, params)
        self._lasting[name, key] = params

    def write_many(self, name: str, rows: Iterable[Params]) -> None:
        """Run a changing statement for each row within the batch."""
        if not self._pending:
            self.begin()
        try:
            self._connection.executemany(SQL[name], rows)
        except _FAILURES as error:
            raise self._failed(error) from error

    def commit(self, seam: str) -> None:
        """Make the batch durable, with what is owed of lost ones; cheap when there is none of either.

        `seam` names the failpoints around it.
        """
        if not self._pending and not self._owed:
            return
        if not self._pending:
            self.begin()
        try:
            failpoint(f"store.{seam}.before_commit")
            self._cursor.execute("COMMIT")
            self._pending = False
            failpoint(f"store.{seam}.after_commit")
        except _FAILURES as error:
            raise self._failed(error) from error
        self._lasting.clear()
        if not self.writable:
            self._wait_for_locks(BUSY_SECONDS)
            self.writable = True
        for tell in self.on_commit:
            tell()

    def rollback(self) -> None:
        """Drop the batch, but for what is lasting."""
        self._pending = False
        self.lost_batches += 1
        self._owe()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except _FAILURES as error:
            # SQLite may have rolled back by itself (disk full, I/O error); then there is nothing left to do.
            if self._connection.in_transaction:
                raise store_error(error, self.path) from error
        finally:
            for forget in self.on_rollback:
                forget()

    def pragma(self, text: str) -> None:
        """Run a maintenance pragma outside of a batch; raises StoreError, `writable` stays as it is."""
        try:
            # Not `execute`: that stops incremental_vacuum after its first page.
            self._connection.executescript(f"PRAGMA {text}")
        except _FAILURES as error:
            raise store_error(error, self.path) from error

    def close(self) -> None:
        """Drop what is pending and close."""
        if self._pending:
            self.rollback()
        self._connection.close()

    def _owe(self) -> None:
        self._owed.update(self._lasting)
        self._lasting.clear()

    def _pay(self) -> None:
        """Write what is owed of lost batches into the one that has just begun."""
        # What is being written anew at this moment is newer than what is owed of it.
        owed = {key: params for key, params in self._owed.items() if key not in self._lasting}
        self._owed = {}
        self._lasting.update(owed)
        for (name, key), params in owed.items():
            try:
                self._connection.execute(SQL[name], params)
            except sqlite3.OperationalError as error:
                raise self._failed(error) from error
            except _FAILURES as error:
                # Not the disk's fault: it would fail for ever, and take every other batch with it.
                del self._lasting[name, key]
                log.error("%s of %s cannot be written at all: %s", name, key, error)

    def _wait_for_locks(self, seconds: float) -> None:
        with contextlib.suppress(*_FAILURES):  # then it waits as long as before
            self._connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}").fetchone()

    def _failed(self, error: BaseException) -> StoreError:
        if self.writable:
            self._wait_for_locks(_STILL_BUSY_SECONDS)
            self.writable = False
        self.rollback()
        told = store_error(error, self.path)
        if isinstance(told, DiskFullError):
            drop_ballast(self.path)
        return told


def open_writable(path: Path, *, connect: Connect = sqlite3.connect) -> StateFile:
    """Open the state for the engine, making directory (0700) and file (0600) if absent.

    Raises StoreError if somebody else may write either (R21), the file is damaged, or it cannot be opened.
    """
    try:
        _make_private(path)
        return _prepared(_connected(path, connect))
    except DiskFullError:
        if not drop_ballast(path):
            raise
        return _prepared(_connected(path, connect))


def _connected(path: Path, connect: Connect) -> StateFile:
    try:
        connection = connect(path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=256)
    except _FAILURES as error:
        raise store_error(error, path) from error
    return StateFile(connection, path, read_only=False)


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_if_others_write(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise StoreError(f"{path} is not a regular file; move it away.")
            refuse_if_others_write(path)
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise store_error(error, path) from error


def open_read_only(path: Path) -> StateFile:
    """Open the state for looking: works beside a running engine, after a dead one, and on a newer schema."""
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
            return StateFile(connection, path, read_only=True)
        except _FAILURES as error:
            failed = failed or error
            if connection is not None:
                connection.close()
    raise store_error(failed or OSError("cannot be opened"), path) from failed


def open_in_memory() -> StateFile:
    """Open an empty state that is never written to disk."""
    return StateFile(sqlite3.connect(":memory:", isolation_level=None), Path(":memory:"), read_only=False)


def open_copy(path: Path | None) -> StateFile:
    """Open a copy of the state at `path` that is dropped when closed, an empty one if there is none; raises StoreError."""
    # An unnamed database: SQLite keeps it in memory and moves what is large to a deleted temporary file.
    copy = sqlite3.connect("", isolation_level=None)
    if path is not None and path.exists():
        original = open_read_only(path)
        try:
            original.connection.backup(copy)
        except _FAILURES as error:
            copy.close()
            raise store_error(error, path) from error
        finally:
            original.close()
    return StateFile(copy, Path(":memory:"), read_only=False)


def refuse_if_others_write(path: Path) -> None:
    """Raise StoreError if group or others may write `path` (R21)."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        raise StoreError(f"{path} has mode {mode:04o}: others may write the state; run: chmod go-w {path}")


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


def _prepared(file: StateFile) -> StateFile:
    try:
        if not file.path.stat().st_size:
            # Only before anything is written: pages that retention frees go back to the file system.
            file.connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for pragma in _PRAGMAS:
            file.connection.execute(pragma)
        (mode,) = file.connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreError(f"{file.path}: its file system cannot share memory; put --state-dir on a local disk.")
        _check(file)
    except _FAILURES as error:
        file.connection.close()
        raise store_error(error, file.path) from error
    except StoreError:
        file.connection.close()
        raise
    return file


def _check(file: StateFile) -> None:
    if file.path.stat().st_size > QUICK_CHECK_UP_TO_BYTES:
        return
    (answer,) = file.connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        raise damaged(file.path, " ".join(answer.split()))
