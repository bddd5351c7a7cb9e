"""Brings a state database to the newest schema: `python -m zen_agents.workers.migrate STATE_DB`.

Replies with one line of JSON, `{"ok": true, "before": "0001", "after": "0002"}` or `{"ok": false, "error": "..."}`, and
exits 0 or 1. All revisions are one transaction: killed at any moment, the database is what it was. The copy of the old
state is the caller's (`adapters.sqlite_store_schema`). `--schema` prints `store/schema.sql` from the models instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import alembic.command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

from zen_agents.store import migrations
from zen_agents.store.models import LEDGER_TRIGGERS
from zen_agents.store.revision import SCHEMA_REVISION

_MIGRATIONS = Path(migrations.__file__).parent


def upgrade(path: Path, *, versions: Sequence[Path] = (_MIGRATIONS / "versions",)) -> tuple[str | None, str | None]:
    """Bring the database at `path` to the newest of `versions`; return the revision before and after."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, versions)))
    engine = _engine(path)
    try:
        with engine.begin() as connection:
            before = _revision(connection)
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "head")
            return before, _revision(connection)
    finally:
        engine.dispose()


def schema_sql() -> str:
    """Return the DDL of an empty state as it stands in `store/schema.sql`."""
    dialect = sqlite.dialect()
    statements = [
        "CREATE TABLE alembic_version (\n\tversion_num VARCHAR(32) NOT NULL, \n"
        "\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)\n)",
        f"INSERT INTO alembic_version (version_num) VALUES ('{SCHEMA_REVISION}')",  # noqa: S608  # nosec B608  a constant of ours
    ]
    for table in SQLModel.metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)).strip())
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateIndex(index).compile(dialect=dialect)).strip() for index in indexes]
    statements += LEDGER_TRIGGERS
    tidy = [" \n".join(text.split(" \n")).replace(", \n", ",\n") for text in statements]
    return "-- Generated from store/models.py by: python -m zen_agents.workers.migrate --schema\n\n" + "".join(
        f"{text};\n\n" for text in tidy
    )


def main(arguments: Sequence[str]) -> int:
    """Run as a command; see the module's docstring."""
    if list(arguments) == ["--schema"]:
        sys.stdout.write(schema_sql())
        return 0
    try:
        (path,) = arguments
        before, after = upgrade(Path(path))
        reply: dict[str, object] = {"ok": True, "before": before, "after": after}
    except Exception as error:  # whatever it is, the engine reads it from the reply
        reply = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(reply) + "\n")
    return 0 if reply["ok"] else 1


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def no_implicit_transactions(connection: object, record: object) -> None:
        del record
        connection.isolation_level = None  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def lock_at_once(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
