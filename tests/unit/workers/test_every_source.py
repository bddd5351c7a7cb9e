"""Every check comes to the same wherever the same rows lie: each kind of file, packed or in parts, and each database."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import get_args

import duckdb
import pytest

from tests.support.datasets import NOW, by_name, open_to_others
from tests.support.postgres_here import Server, needs_postgres
from zen_agents.adapters.data_checks import check_data
from zen_agents.datasets.contract import Check, Column, ColumnType, Contract, name_of, named
from zen_agents.datasets.finding import ColumnProfile, Finding, Outcome, Profile, Report, Share
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Drift,
    Fresh,
    HasColumns,
    Holds,
    Length,
    Matches,
    NoDuplicates,
    NoneOf,
    NotNull,
    OfType,
    OneOf,
    Partitions,
    Question,
    Readable,
    References,
    RowCount,
    RowCountChange,
    Unique,
)
from zen_agents.datasets.source import Source, SourceKind, SourceOptions

Rows = Sequence[Sequence[str | None]]
NAMES = ("id", "code", "amount", "status", "day", "later", "customer")
ORDERS: Rows = [
    *(
        (str(n), f"A{n:03}", f"{n}.5", "new" if n % 2 else "paid", f"2026-01-{n:02}", f"2026-02-{n:02}", "7")
        for n in range(1, 21)
    ),
    ("20", "B", "-4", "lost", "2026-03-01", "2026-02-01", "8"),
    (None, "A999", "n/a", "paid", "2026-02-30", None, None),
    ("30", "A03é", "1e3", "gone", "2026-01-02", "2026-01-01", "9"),
    ("30", "A03é", "1e3", "gone", "2026-01-02", "2026-01-01", "9"),
]  # fmt: skip
CUSTOMERS: Rows = [("7", "Ada"), ("8", "Bo")]
ASKED: tuple[Question, ...] = (
    Readable(), HasColumns(), OfType("id"), OfType("amount"), OfType("day"), NotNull("id"), NotNull("later"),
    Unique(("id",)),
    Unique(("code", "day")), NoDuplicates(), Between("amount", 0, 20), Between("day", "2026-01-05", None, strict=True),
    OneOf("status", ("new", "paid")), NoneOf("customer", ("9",)), Matches("code", "A[0-9]{3}"), Length("code", 4, 4),
    Compared("later", ">=", "day"), References(("customer",), "customers", ("id",)), RowCount(1, 23),
    RowCountChange(0.1, 0.1), Fresh(3600.0, "later"), Fresh(3600.0), Drift("status", "shares", 0.1),
    Drift("amount", "quantiles", 0.2), Holds("status <> 'paid' or amount > 3"), Partitions(),
)  # fmt: skip
COLUMNS = (
    Column("id", ColumnType.INTEGER), Column("amount", ColumnType.NUMBER), Column("day", ColumnType.DATE),
    Column("later", ColumnType.DATE),
)  # fmt: skip
BEFORE = Profile(
    20, (ColumnProfile("status", shares=(Share("new", 0.9), Share("paid", 0.1))),
         ColumnProfile("amount", quantiles=tuple(float(part) for part in range(100, 111)))),
)  # fmt: skip
#: What counts columns and files, of which some have more.
OF_THE_WHOLE = {"columns", "partitions"}
#: What only files can tell.
OF_FILES = {"fresh", "partitions"}


def _table(connection: object, quoted: str, rows: Rows, names: Sequence[str], holder: str) -> None:
    columns = ", ".join(f"{name} text" for name in names)
    connection.execute(f"create table {quoted} ({columns})")  # type: ignore[attr-defined]
    connection.executemany(f"insert into {quoted} values ({', '.join([holder] * len(names))})", rows)  # type: ignore[attr-defined]


def _written(path: Path, rows: Rows, names: Sequence[str], form: str) -> None:
    with duckdb.connect() as duck:
        _table(duck, "t", rows, names, "?")
        duck.execute(f"copy t to '{path}' ({form})")
    path.chmod(0o644)
    os.utime(path, (NOW - 60, NOW - 60))


Pair = tuple[Source, Source]


def _files(kind: SourceKind, ending: str, form: str) -> Callable[[Path], Pair]:
    def made(folder: Path) -> Pair:
        for name, rows, names in (("orders", ORDERS, NAMES), ("customers", CUSTOMERS, ("id", "name"))):
            _written(folder / f"{name}.{ending}", rows, names, form)
        return Source(kind, str(folder / f"orders.{ending}")), Source(kind, str(folder / f"customers.{ending}"))

    return made


def _in_parts(folder: Path) -> Pair:
    for month, rows in (("1", ORDERS[:9]), ("2", ORDERS[9:])):
        (folder / f"month={month}").mkdir()
        _written(folder / f"month={month}" / "orders.csv", rows, NAMES, "format csv, header")
    _written(folder / "customers.csv", CUSTOMERS, ("id", "name"), "format csv, header")
    options = SourceOptions(partitions=True)
    return Source(SourceKind.CSV, str(folder / "*/orders.csv"), options=options), Source(
        SourceKind.CSV, str(folder / "customers.csv")
    )


def _sqlite(folder: Path) -> Path:
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        _table(connection, "orders", ORDERS, NAMES, "?")
        _table(connection, "customers", CUSTOMERS, ("id", "name"), "?")
        connection.commit()
    return path


def _sqlite_table(folder: Path) -> Pair:
    path = str(_sqlite(folder))
    return Source(SourceKind.SQLITE, path, table="orders"), Source(SourceKind.SQLITE, path, table="customers")


def _sqlite_query(folder: Path) -> Pair:
    path = str(_sqlite(folder))
    return Source(SourceKind.SQLITE, path, query="select * from orders"), Source(SourceKind.SQLITE, path, table="customers")


FILES = {
    "tsv": _files(SourceKind.TSV, "tsv", "format csv, header, delimiter '\t'"),
    "csv.gz": _files(SourceKind.CSV, "csv.gz", "format csv, header, compression gzip"),
    "csv.zst": _files(SourceKind.CSV, "csv.zst", "format csv, header, delimiter ';', compression zstd"),
    "parquet": _files(SourceKind.PARQUET, "parquet", "format parquet"),
    "jsonl": _files(SourceKind.JSONL, "jsonl", "format json"),
    "jsonl.gz": _files(SourceKind.JSONL, "jsonl.gz", "format json, compression gzip"),
    "parts": _in_parts,
}
DATABASES = {"sqlite table": _sqlite_table, "sqlite query": _sqlite_query}


def looked(orders: Source, customers: Source) -> Report:
    asked = Contract("orders", orders, COLUMNS, named(Check(each, name_of(each)) for each in ASKED))
    question = data_question(asked, {"customers": Contract("customers", customers)}, BEFORE, NOW)
    return report_in(asyncio.run(check_data(question)))


def told(finding: Finding) -> tuple[object, ...]:
    """Return what it came to, and the values of the rows that are shown; which number a row has is the source's own."""
    rows = sorted(str([(cell.column, cell.text) for cell in row.cells]) for row in finding.evidence)
    total = None if finding.kind in OF_THE_WHOLE else finding.total
    return finding.outcome, finding.count, total, rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_to_others(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Return what is found in a plain CSV."""
    folder = tmp_path_factory.mktemp("plain")
    open_to_others(folder)
    return dict(by_name(looked(*_files(SourceKind.CSV, "csv", "format csv, header")(folder))))


def test_every_question_is_among_them_and_comes_to_what_stands_in_the_rows(plain: dict[str, Finding]) -> None:
    assert {type(each) for each in ASKED} == set(get_args(Question))
    assert {name: each.count for name, each in plain.items() if each.outcome is Outcome.FAILED} == {
        "type.amount": 1, "type.day": 1, "not_null.id": 1, "not_null.later": 1, "unique.id": 4, "unique.code+day": 2,
        "no_duplicates": 1, "between.amount": 4, "between.day": 7, "one_of.status": 3, "none_of.customer": 2,
        "matches.code": 3, "length.code": 1, "compared.later+day": 3, "references.customer": 2, "row_count": 1,
        "row_count_change": 1, "fresh.later": 1, "drift.status": 1, "drift.amount": 1, "holds": 1,
    }  # fmt: skip
    assert [name for name, each in plain.items() if each.outcome is Outcome.UNKNOWN] == []


@pytest.mark.parametrize("form", FILES)
def test_files_of_each_kind_tell_the_same(form: str, folder: Path, plain: dict[str, Finding]) -> None:
    found = by_name(looked(*FILES[form](folder)))
    assert {name: told(each) for name, each in found.items()} == {name: told(each) for name, each in plain.items()}


def _as_the_files(report: Report, plain: dict[str, Finding], untold: set[str]) -> None:
    """Compare with a file; what a database cannot tell is unknown, which is never fine."""
    found = by_name(report)
    told_too = {name for name in found if name not in untold}
    assert {name: told(found[name]) for name in told_too} == {name: told(plain[name]) for name in told_too}
    assert {name: found[name].outcome for name in untold} == dict.fromkeys(untold, Outcome.UNKNOWN)


@pytest.mark.parametrize("form", DATABASES)
def test_sqlite_tells_the_same_but_of_files(form: str, folder: Path, plain: dict[str, Finding]) -> None:
    _as_the_files(looked(*DATABASES[form](folder)), plain, OF_FILES | {"drift.amount"})


@needs_postgres
def test_postgresql_tells_the_same_but_of_files(server: Server, folder: Path, plain: dict[str, Finding]) -> None:
    psycopg = pytest.importorskip("psycopg")
    address = folder / "address"
    address.write_text(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres")
    address.chmod(0o600)
    with psycopg.connect(address.read_text(), autocommit=True) as connection, connection.cursor() as cursor:
        _table(cursor, "orders", ORDERS, NAMES, "%s")
        _table(cursor, "customers", CUSTOMERS, ("id", "name"), "%s")
    customers = Source(SourceKind.POSTGRES, dsn_file=str(address), table="customers")
    for table, query in (("orders", ""), ("", "select * from orders")):
        orders = Source(SourceKind.POSTGRES, dsn_file=str(address), table=table, query=query)
        _as_the_files(looked(orders, customers), plain, OF_FILES)
