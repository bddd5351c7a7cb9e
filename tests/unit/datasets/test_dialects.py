"""What columns of databases hold by their own types, and how they are read as what a contract says."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.support.datasets import NOW, by_name, contract
from tests.support.postgres_here import needs_postgres, postgres_here
from zen_agents.datasets.asking import Surroundings
from zen_agents.datasets.checking import check
from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.dialects.postgres import PostgresDialect
from zen_agents.datasets.dialects.sqlite import FUNCTIONS, SqliteDialect
from zen_agents.datasets.finding import Outcome, Report
from zen_agents.datasets.questions import (
    Compared,
    Drift,
    Fresh,
    OfType,
    OneOf,
    Question,
    References,
    Unique,
)
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.sql import Sql, name
from zen_agents.datasets.table import BackendError, Table

TYPES = {
    "n": ("integer", ColumnType.INTEGER), "d": ("double precision", ColumnType.NUMBER),
    "m": ("numeric(10, 2)", ColumnType.DECIMAL), "b": ("boolean", ColumnType.BOOLEAN), "day": ("date", ColumnType.DATE),
    "at": ("timestamp with time zone", ColumnType.TIMESTAMP), "u": ("uuid", ColumnType.UUID),
    "s": ("character varying(20)", ColumnType.TEXT),
}  # fmt: skip
UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
ROWS: list[tuple[Any, ...]] = [
    (1, 1.5, 2, True, "2027-01-14", "2027-01-15T09:00:00+02:00", UUID, "7"),
    (2, 2.0, 3, False, "2027-01-16", "2027-01-15T07:30:00+00:00", None, "x"),
    (2, None, 4, None, None, None, UUID, None),
]


class Database:
    """One with a table `t` of these columns."""

    def __init__(self, dialect: Dialect, connection: Any) -> None:
        self.dialect, self._connection = dialect, connection
        marks = ", ".join([dialect.placeholder] * len(TYPES))
        connection.execute(f"create temp table t ({', '.join(f'{column} {kind}' for column, (kind, _) in TYPES.items())})")
        for row in ROWS:
            connection.execute(f"insert into t values ({marks})", row)

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        try:
            found: Sequence[Sequence[Any]] = self._connection.execute(
                query.text(self.dialect.placeholder), query.values
            ).fetchall()
        except Exception as error:
            raise BackendError(str(error)) from error
        return found

    @property
    def table(self) -> Table:
        return Table(name("t"), {column: self.dialect.family(kind) for column, (kind, _) in TYPES.items()})

    def report(self, *asked: Question, columns: Sequence[Column] = ()) -> Report:
        of = contract("/srv/db", *asked, columns=columns, kind=SourceKind.SQLITE)
        others = {"t": Scope(of, self.table, self.dialect)}
        return check(of, self.table, self, Surroundings(NOW, others=others), lambda *_: None)


@pytest.fixture(scope="module")
def lite() -> Iterator[Database]:
    connection = sqlite3.connect(":memory:")
    for called, (arguments, function) in FUNCTIONS.items():
        connection.create_function(called, arguments, function, deterministic=True)
    yield Database(SqliteDialect(), connection)
    connection.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    psycopg = pytest.importorskip("psycopg")
    with postgres_here() as found:
        address = f"host=127.0.0.1 port={found.port} user=postgres dbname=postgres options='-c TimeZone=UTC'"
        with psycopg.connect(address, autocommit=True) as connection:
            yield Database(PostgresDialect(), connection)


DATABASES = ["lite", pytest.param("server", marks=needs_postgres)]


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_what_is_of_a_type_reads_as_it(database: Database) -> None:
    columns = [Column(column, kind) for column, (_, kind) in TYPES.items()]
    report = database.report(*(OfType(column.name) for column in columns), columns=columns)
    assert {finding.count for finding in report.findings} == {0} and report.unknown == ""


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_what_is_not_is_counted(database: Database) -> None:
    columns = [Column("s", ColumnType.INTEGER), Column("d", ColumnType.INTEGER), Column("n", ColumnType.TEXT)]
    found = by_name(database.report(*(OfType(column.name) for column in columns), columns=columns))
    assert {name: each.count for name, each in found.items()} == {"type.s": 1, "type.d": 1, "type.n": 0}


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_questions_that_need_more_than_a_row(database: Database) -> None:
    columns = [Column(column, kind) for column, (_, kind) in TYPES.items()]
    asked = [
        Unique(("n",)), Unique(("n", "u")), References(("m",), "t", ("n",)), Fresh(1800, "at"), Fresh(3600, "at"),
        Compared("day", "<=", "at"), OneOf("b", (True,)), Drift("s", "shares", 0.1),
    ]  # fmt: skip
    report = database.report(*asked, columns=columns)
    assert [each.count for each in report.findings] == [2, 0, 2, 0, 0, 1, 1, 0], report
    assert report.findings[3].value == pytest.approx(1800.0)
    assert report.profile is not None and report.profile.columns[0].shares[0].share == pytest.approx(1 / 3)


def test_what_a_database_cannot_say_is_unknown_and_told(lite: Database) -> None:
    (found,) = lite.report(Drift("n", "quantiles", 0.1), columns=[Column("n", ColumnType.INTEGER)]).findings
    assert found.outcome is Outcome.UNKNOWN and "by shares" in found.reason


@needs_postgres
def test_deciles_of_postgresql(server: Database) -> None:
    columns = [Column("n", ColumnType.INTEGER), Column("s", ColumnType.DATE, "%d. %B %Y")]
    report = server.report(Drift("n", "quantiles", 0.1), OfType("s"), columns=columns)
    assert report.profile is not None and report.profile.columns[0].quantiles[-1] == 2.0
    assert "cast it in a `query`" in report.findings[1].reason
