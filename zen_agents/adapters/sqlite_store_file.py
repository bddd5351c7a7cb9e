"""One SQLite connection to the state, with its rule: writes gather in one transaction until `commit`.

Every failure is a `StoreError` whose text says the next step; the batch it happened in is gone as a whole. But what was
written as `lasting` is kept in memory then, and written again with the next batch.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from zen_agents.adapters.sqlite_store_ballast import drop_ballast
from zen_agents.adapters.sqlite_store_reading import (
    BUSY_SECONDS,
    FAILURES,
    DiskFullError,
    Params,
    StateReader,
    connect_read_only,
    damaged,
    store_error,
)
from zen_agents.errors import StoreError
from zen_agents.model.redaction import Redaction
from zen_agents.store.failpoint import failpoint
from zen_agents.store.statements import SQL

log = logging.getLogger("zen_agents.store")

#: Opens a database as `sqlite3.connect` does.
Connect = Callable[..., sqlite3.Connection]

#: The same after a write failed, until one succeeds: whatever holds the state may do so for long, and a turn writes often.
_STILL_BUSY_SECONDS = 0.01

#: A state larger than this is not read in full at each start; `doctor` does that.
QUICK_CHECK_UP_TO_BYTES = 64 * 1024 * 1024

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


class StateFile(StateReader):
    """The connection. Use `read` for questions and `write` for changes; `writable` tells how the last write went."""

    def __init__(self, connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
        super().__init__(connection, path)
        self._read_only = read_only
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

    def begin(self) -> bool:
        """Open the batch if none is open; True if this call opened it."""
        if self._pending:
            return False
        if self._read_only:
            raise StoreError("The state was opened for reading only.")
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        except FAILURES as error:
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
        except FAILURES as error:
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
        except FAILURES as error:
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
        except FAILURES as error:
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
        except FAILURES as error:
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
        except FAILURES as error:
            raise store_error(error, self.path) from error

    def close(self) -> None:
        """Drop what is pending and close."""
        if self._pending:
            self.rollback()
        super().close()

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
            except FAILURES as error:
                # Not the disk's fault: it would fail for ever, and take every other batch with it.
                del self._lasting[name, key]
                log.error("%s of %s cannot be written at all: %s", name, key, error)

    def _wait_for_locks(self, seconds: float) -> None:
        with contextlib.suppress(*FAILURES):  # then it waits as long as before
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
    except FAILURES as error:
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
    return StateFile(connect_read_only(path), path, read_only=True)


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
        except FAILURES as error:
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
    except FAILURES as error:
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
