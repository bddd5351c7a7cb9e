"""Every count is the one that reading row by row gives, whatever holds the rows: files, SQLite or PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.datasets import NOW, contract, looked, write_csv
from tests.support.faulty_tables import ASKED, COLUMNS, NAMES, TABLES, Row
from tests.support.postgres_here import Server, needs_postgres
from zen_agents.datasets.asking import Surroundings
from zen_agents.datasets.checking import check
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.dialects.postgres import PostgresDialect
from zen_agents.datasets.dialects.sqlite import FUNCTIONS, SqliteDialect
from zen_agents.datasets.finding import Report
from zen_agents.datasets.identifiers import identifier
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.sql import Sql, name
from zen_agents.datasets.table import Table

_DECLARED = ", ".join(f"{identifier(column)} text" for column in NAMES)


def _as_csv(folder: Path, rows: Sequence[Row]) -> Path:
    return write_csv(folder / "rows.csv", NAMES, rows)


def _as_lines(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows), encoding="utf-8")
    return path


def _as_parquet(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.parquet"
    with duckdb.connect() as duck:
        quoted = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" VARCHAR' for name in NAMES)
        duck.execute(f"create table t ({quoted})")
        if rows:
            duck.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
        duck.execute(f"copy t to '{path}' (format parquet)")
    return path


WRITERS = {SourceKind.CSV: _as_csv, SourceKind.JSONL: _as_lines, SourceKind.PARQUET: _as_parquet}
_MANY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def holds(asked: Contract, report: Report, rows: Sequence[Row]) -> None:
    assert report.rows == len(rows), report.unknown
    found = {finding.check: (finding.count, finding.reason) for finding in report.findings}
    wanted = {each.name: int(count(rows)) for each, (_, count) in zip(asked.checks, ASKED, strict=True)}
    assert {name: count for name, (count, _) in found.items()} == wanted, found
    assert all(len(each.evidence) == min(each.count, 10) or not each.evidence for each in report.findings)


@pytest.mark.parametrize("kind", WRITERS)
@_MANY
@given(rows=TABLES)
def test_of_files(kind: SourceKind, rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        asked = contract(WRITERS[kind](folder, rows), *(each for each, _ in ASKED), columns=COLUMNS, kind=kind)
        holds(asked, looked(asked, folder), rows)


class Asked:
    """A database as a worker would ask it."""

    def __init__(self, dialect: Dialect, connection: Any) -> None:
        self.dialect, self.connection = dialect, connection

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        found: Sequence[Sequence[Any]] = self.connection.execute(
            query.text(self.dialect.placeholder), query.values
        ).fetchall()
        return found

    def report(self, asked: Contract) -> Report:
        table = Table(name("t"), {column: self.dialect.family("text") for column in NAMES})
        return check(asked, table, self, Surroundings(NOW), lambda *_: None)


def _database() -> Contract:
    return contract("/srv/db", *(each for each, _ in ASKED), columns=COLUMNS, kind=SourceKind.SQLITE)


@_MANY
@given(rows=TABLES)
def test_of_sqlite(rows: list[Row]) -> None:
    connection = sqlite3.connect(":memory:")
    for called, (arguments, function) in FUNCTIONS.items():
        connection.create_function(called, arguments, function, deterministic=True)
    connection.execute(f"create table t ({_DECLARED})")
    connection.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
    holds(_database(), Asked(SqliteDialect(), connection).report(_database()), rows)
    connection.close()


@needs_postgres
@_MANY
@given(rows=TABLES)
def test_of_postgresql(server: Server, rows: list[Row]) -> None:
    psycopg = pytest.importorskip("psycopg")
    address = f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres options='-c TimeZone=UTC'"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"create temp table t ({_DECLARED})")
        with connection.cursor() as cursor:
            cursor.executemany("insert into t values (%s, %s, %s, %s, %s)", rows)
        holds(_database(), Asked(PostgresDialect(), connection).report(_database()), rows)
