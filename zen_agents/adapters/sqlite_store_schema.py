"""The schema of an opened state: made at once when empty, copied and migrated by a worker when old, refused when newer."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import zen_agents
from zen_agents.adapters.durable_file import sync
from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_reading import store_error
from zen_agents.errors import SchemaTooNewError, StoreError
from zen_agents.store.failpoint import failpoint
from zen_agents.store.revision import SCHEMA_REVISION
from zen_agents.store.statements import SCHEMA_FILE, SQL

#: A migration that takes longer than this is taken for hung; it is one transaction, so nothing is half done.
MIGRATION_SECONDS = 600.0

#: Brings the file to the newest schema or raises StoreError.
Migrate = Callable[[Path], None]


def migrate_in_worker(path: Path) -> None:
    """Run the migration worker on a state; raises StoreError with what it said."""
    command = [sys.executable, "-P", "-m", "zen_agents.workers.migrate", str(path)]
    root = str(Path(zen_agents.__file__).parent.parent)
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": root}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=MIGRATION_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
        reply = json.loads(done.stdout or b"{}")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"{path}: the migration worker failed ({error}); nothing was changed.") from error
    if reply.get("ok") is not True:
        said = reply.get("error") or done.stderr.decode("utf-8", "replace")[-500:]
        raise StoreError(f"{path}: the migration failed, nothing was changed: {said}")


def ensure_schema(file: StateFile, *, migrate: Migrate = migrate_in_worker, newest: str = SCHEMA_REVISION) -> None:
    """Bring an opened state to the schema `newest`, copying it first if it holds an older one.

    Raises SchemaTooNewError, naming the copy to restore, and StoreError.
    """
    try:
        before = revision(file)
        if before is None:
            create(file.connection)
        elif before > newest:
            raise SchemaTooNewError(_too_new(file.path, before, newest))
        elif before < newest:
            failpoint("store.migrate.before_copy")
            copy_state(file.connection, file.path, before)
            failpoint("store.migrate.after_copy")
            migrate(file.path)
            failpoint("store.migrate.after_upgrade")
            if revision(file) != newest:
                raise StoreError(f"{file.path}: the migration ended at {revision(file)}, not at {newest}.")
    except (sqlite3.Error, OSError) as error:
        raise store_error(error, file.path) from error


def require_schema(file: StateFile, path: Path | None, *, newest: str = SCHEMA_REVISION) -> None:
    """Make the schema in an empty copy; raises SchemaTooNewError or StoreError if the copy of `path` has another one."""
    try:
        found = revision(file)
        if found is None:
            create(file.connection)
    except (sqlite3.Error, OSError) as error:
        raise store_error(error, file.path) from error
    if found is not None and path is not None and found > newest:
        raise SchemaTooNewError(_too_new(path, found, newest))
    if found is not None and found != newest:
        raise StoreError(f"{path} has the older schema {found}; start the engine once, it migrates the state.")


def revision(file: StateFile) -> str | None:
    """Return the schema's revision, None if the file is empty; raises StoreError if it is somebody else's."""
    tables = {name for (name,) in file.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    row = file.connection.execute(SQL["revision"]).fetchone() if "alembic_version" in tables else None
    if row is None:
        raise StoreError(f"{file.path} is an SQLite file, but not one of zen-agents; give another --state-dir.")
    return str(row[0])


def create(connection: sqlite3.Connection) -> None:
    """Make all tables in an empty file, in one transaction."""
    try:
        connection.executescript("BEGIN IMMEDIATE;\n" + SCHEMA_FILE.read_text(encoding="utf-8"))
        failpoint("store.create.before_commit")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    failpoint("store.create.after_commit")


def copy_state(connection: sqlite3.Connection, path: Path, before: str) -> Path:
    """Copy the whole state, durably, to `state.db.before-REVISION` and return that path."""
    copy = path.with_name(f"{path.name}.before-{before}")
    unfinished = path.with_name(f"{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    target = sqlite3.connect(unfinished, isolation_level=None)
    try:
        connection.backup(target)
        # A copy without a log beside it is one file that can be moved by hand.
        target.execute("PRAGMA journal_mode = DELETE")
    finally:
        target.close()
    sync(unfinished)
    unfinished.replace(copy)
    sync(path.parent)
    return copy


def _too_new(path: Path, found: str, known: str) -> str:
    copy = path.with_name(f"{path.name}.before-{known}")
    where = f"restore the copy {copy}" if copy.exists() else f"give another --state-dir (no copy {copy.name} was found)"
    return f"{path} has schema {found}, this zen-agents knows {known}; upgrade zen-agents, or {where}."
