"""Models, migrations, schema.sql and statements.sql say the same."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from zen_agents.adapters.sqlite_store_rows import APPROVAL_COLUMNS, INCIDENT_COLUMNS
from zen_agents.store import models
from zen_agents.store.revision import SCHEMA_REVISION
from zen_agents.store.statements import SCHEMA_FILE, SQL, load
from zen_agents.workers.migrate import schema_sql, upgrade

TABLES = SQLModel.metadata.tables


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "migrated.db"
    assert upgrade(path) == (None, SCHEMA_REVISION)
    return path


def schema_of(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {(kind, name): re.sub(r"\s+", " ", sql).replace(", ", ",") for kind, name, sql in rows}


def test_migrations_end_at_the_models(migrated: Path) -> None:
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_schema_sql_is_what_migrations_make(migrated: Path) -> None:
    shipped, grown = sqlite3.connect(":memory:"), sqlite3.connect(migrated)
    shipped.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert schema_of(shipped) == schema_of(grown)
    assert shipped.execute(SQL["revision"]).fetchall() == grown.execute(SQL["revision"]).fetchall() == [(SCHEMA_REVISION,)]
    shipped.close()
    grown.close()


def test_schema_sql_is_generated_from_the_models() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_sql()


def test_triggers_of_the_models_are_in_the_schema() -> None:
    shipped = SCHEMA_FILE.read_text(encoding="utf-8")
    assert all(trigger in shipped for trigger in models.LEDGER_TRIGGERS)


@pytest.mark.parametrize("name", sorted(SQL))
def test_statement_fits_the_schema(name: str, migrated: Path) -> None:
    connection = sqlite3.connect(migrated)
    sql = SQL[name]
    named = dict.fromkeys(re.findall(r"(?<!:):(\w+)", sql))
    steps = connection.execute(f"EXPLAIN {sql}", named or [None] * sql.count("?")).fetchall()
    connection.close()
    assert steps


@pytest.mark.parametrize("name", sorted(name for name, sql in SQL.items() if sql.startswith("INSERT")))
def test_insert_names_every_column(name: str) -> None:
    match = re.match(r"INSERT (?:OR \w+ )?INTO (\w+) \(([^)]*)\)", SQL[name])
    assert match is not None
    table = TABLES[match[1]]
    named = {column.strip() for column in match[2].split(",")}
    known = {column.name for column in table.columns}
    required = {column.name for column in table.columns if not column.nullable and column.name != "id"}
    assert named <= known
    assert required <= named
    if "REPLACE" in SQL[name] or "DO UPDATE" in SQL[name]:
        assert named == known, "a row that is replaced must be replaced whole"


def test_columns_of_incidents_are_read_in_the_models_order() -> None:
    assert tuple(column.name for column in TABLES["incidents"].columns) == INCIDENT_COLUMNS


def test_columns_of_approvals_are_read_in_the_models_order() -> None:
    assert tuple(column.name for column in TABLES["approvals"].columns) == APPROVAL_COLUMNS


def test_every_select_of_a_noun_reads_the_same_columns() -> None:
    for first, *others in (
        ("live_incidents", "incidents_since"),
        ("action", "unfinished_actions", "actions_since", "actions_on_target"),
        ("breaker", "breakers"),
        ("approval", "open_approval", "open_approvals", "approvals_since"),
        ("verify_entries", "export_entries"),
    ):
        expected = _selected(first)
        assert [_selected(other) for other in others] == [expected] * len(others)


def test_no_statement_stands_anywhere_else() -> None:
    package = Path(models.__file__).parents[1]
    allowed = {"models.py", "migrate.py", "sqlite_store_schema.py", "sqlite_store_reading.py", "r0001_first.py"}
    # A server that is watched has tables of its own, and so has a cache of answers, which is no part of the state.
    allowed |= {
        "postgres.py",
        "postgres_given.py",
        "postgres_rows.py",
        "sqlite_rows.py",
        "postgres_shape.py",
        "postgres_table.py",
        "sqlite_shape.py",
        "sqlite_table.py",
        "table_copy.py",
        "advisories_cache.py",
        "duck.py",
        "repair_reading.py",
        "repair_delimited.py",
        "repair_lines.py",
        "data_infer.py",
        "database_sample.py",
        "giving_way.py",
        "row_places.py",
    }
    sql = re.compile(r"\b(SELECT .* FROM|INSERT INTO|DELETE FROM|UPDATE \w+ SET)\b")
    # Data sets are others' tables: what is asked of them is the whole work of that room.
    files = [path for path in package.rglob("*.py") if path.parent.parts[-1] not in ("datasets", "dialects")]
    offenders = [path.name for path in files if path.name not in allowed and sql.search(path.read_text())]
    assert offenders == []


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "statements.sql"
    file.write_text("-- a --\nSELECT 1;\n-- a --\nSELECT 2;\n")
    with pytest.raises(ValueError, match="twice"):
        load(file)


def test_the_engines_side_imports_no_schema_library() -> None:
    code = (
        "import sys, zen_agents.adapters.sqlite_store, zen_agents.adapters.ledger_audit\n"
        "heavy = {'sqlmodel', 'sqlalchemy', 'alembic', 'pydantic', 'subprocess'} & set(sys.modules)\n"
        "print(sorted(heavy - {'subprocess'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def _selected(name: str) -> str:
    match = re.match(r"SELECT (.*?)\bFROM", SQL[name], re.DOTALL)
    assert match is not None
    # Whoever makes hashes again reads the same bytes as bytes.
    return " ".join(match[1].split()).replace("CAST(body AS BLOB)", "body")
