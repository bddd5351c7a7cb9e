"""Tables that are asked where they are: a real PostgreSQL and SQLite, what they say when they are locked, broken or gone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.datasets import NOW, by_name, open_to_others
from tests.support.engine_process import wait_for
from tests.support.postgres_here import Server, needs_postgres, postgres_here
from zen_agents.adapters.data_checks import check_data
from zen_agents.datasets.contract import Check, Column, ColumnType, Contract, name_of, named
from zen_agents.datasets.finding import Outcome, Report
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.questions import Between, HasColumns, NotNull, OneOf, Question, Readable, References, Unique
from zen_agents.datasets.source import Source, SourceKind

psycopg = pytest.importorskip("psycopg")
AMOUNT = Column("amount", ColumnType.NUMBER)


def looked(source: Source, *asked: Question, others: tuple[Contract, ...] = (), columns: tuple[Column, ...] = ()) -> Report:
    contract = of(source, *asked, columns=columns)
    question = data_question(contract, {each.name: each for each in others}, None, NOW)
    return report_in(asyncio.run(check_data(question)))


def of(source: Source, *asked: Question, name: str = "orders", columns: tuple[Column, ...] = ()) -> Contract:
    return Contract(name, source, columns, named(Check(each, name_of(each)) for each in asked))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_to_others(tmp_path)
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Path:
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table orders (id integer, amount numeric, customer integer)")
        connection.execute("create table customers (id integer primary key, name text)")
        connection.executemany("insert into orders values (?, ?, ?)", [(1, 5, 7), (1, -2, 8), (None, "n/a", 7)])
        connection.execute("insert into customers values (7, 'Ada')")
        connection.executemany("insert into orders values (?, 1, 7)", [(number,) for number in range(10, 3000)])
        connection.execute("create index by_id on orders (id)")
        connection.commit()
    return path


def test_sqlite_is_asked_where_it_is_and_left_as_it_was(shop: Path) -> None:
    before = (shop.read_bytes(), sorted(shop.parent.iterdir()))
    orders, customers = (Source(SourceKind.SQLITE, str(shop), table=name) for name in ("orders", "customers"))
    report = looked(
        orders, Readable(), HasColumns(), NotNull("id"), Unique(("id",)), Between("amount", 0),
        References(("customer",), "customers", ("id",)), columns=(AMOUNT,), others=(of(customers, name="customers"),),
    )  # fmt: skip
    found = {name: (each.outcome.value, each.count) for name, each in by_name(report).items()}
    assert report.rows == 2993 and found == {
        "readable": ("passed", 0), "columns": ("passed", 0), "not_null.id": ("failed", 1), "unique.id": ("failed", 2),
        "between.amount": ("failed", 1), "references.customer": ("failed", 1),
    }  # fmt: skip
    assert by_name(report)["between.amount"].evidence[0].cells[0].text == "-2"
    assert (shop.read_bytes(), sorted(shop.parent.iterdir())) == before


def test_a_query_of_sqlite_is_a_data_set_and_what_is_only_there_in_its_log_is_seen(shop: Path) -> None:
    with closing(sqlite3.connect(shop)) as writer:
        writer.execute("pragma journal_mode = wal")
        writer.execute("insert into customers values (9, null)")
        writer.commit()
        source = Source(SourceKind.SQLITE, str(shop), query="select name from customers where id > 8")
        for beside in shop.parent.iterdir():
            beside.chmod(0o666)
        report = looked(source, NotNull("name"))
    assert (report.rows, by_name(report)["not_null.name"].count) == (1, 1)


def test_bytes_that_flipped_in_a_page_are_a_finding(shop: Path) -> None:
    broken = bytearray(shop.read_bytes())
    page = 4096 * 3
    broken[page + 200 : page + 260] = bytes(60)
    broken[page + 8 : page + 40] = b"\xff" * 32
    shop.write_bytes(broken)
    found = by_name(looked(Source(SourceKind.SQLITE, str(shop), table="orders"), Readable(), NotNull("id")))["readable"]
    assert found.outcome is Outcome.FAILED and found.reason
    shop.write_bytes(b"SQLite format 3\0" + os.urandom(5000))
    found = by_name(looked(Source(SourceKind.SQLITE, str(shop), table="orders"), Readable()))["readable"]
    assert found.outcome is Outcome.FAILED


def test_a_table_that_is_not_there_is_a_finding_and_a_locked_database_is_unknown(shop: Path) -> None:
    found = by_name(looked(Source(SourceKind.SQLITE, str(shop), table='o"; drop'), Readable()))["readable"]
    assert found.outcome is Outcome.FAILED and "no such table" in found.reason
    with closing(sqlite3.connect(shop, isolation_level=None)) as writer:
        writer.execute("begin exclusive")
        writer.execute("delete from orders")
        report = looked(Source(SourceKind.SQLITE, str(shop), table="orders"), Readable())
    assert report.outcome is Outcome.UNKNOWN and report.unknown


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_here() as found:
        with psycopg.connect(f"host=127.0.0.1 port={found.port} user=postgres", autocommit=True) as connection:
            connection.execute("""
                create type state as enum ('new', 'paid');
                create table orders (id int, amount numeric(9,2), customer int, "od""d" text, state state, more jsonb);
                insert into orders values (1, 5, 7, 'x', 'new', '{"a": 1}'), (1, -2, 8, null, 'paid', null),
                                          (null, 3, 7, 'y', 'new', '{}');
                create table customers (id int primary key);
                insert into customers values (7);
                create role guarded login password 'what nobody may see';
                create role app login;
                grant select on customers to guarded;
            """)
        yield found


@pytest.fixture
def address(server: Server, folder: Path) -> Path:
    path = folder / "address"
    path.write_text(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres\n")
    path.chmod(0o600)
    return path


def _table(address: Path, name: str, query: str = "") -> Source:
    return Source(SourceKind.POSTGRES, dsn_file=str(address), table=name, query=query)


@needs_postgres
def test_nobody_waits_for_a_check_however_long_it_takes(server: Server, address: Path) -> None:
    someone = f"host=127.0.0.1 port={server.port} user=postgres"
    at_work = "select 1 from pg_stat_activity where wait_event = 'PgSleep'"
    with psycopg.connect(someone, autocommit=True) as other, ThreadPoolExecutor(1) as beside:
        other.execute("create table busy (id int); insert into busy values (1)")
        slow = _table(address, "", "select busy.id from busy, pg_sleep(60)")
        told = beside.submit(looked, slow, NotNull("id"))
        wait_for(lambda: other.execute(at_work).fetchone(), "the check")
        other.execute("set lock_timeout = '1ms'")
        other.execute("insert into busy values (2); update busy set id = 3 where id = 2; delete from busy where id = 3")
        assert other.execute(at_work).fetchone() and not told.done()
        other.execute("set lock_timeout = '30s'; alter table busy add column more text; drop table busy")
        report = told.result(60)
    assert report.outcome is Outcome.UNKNOWN and "was given way" in report.unknown, report.unknown


@needs_postgres
def test_postgresql_is_asked_where_it_is_in_one_pass(address: Path) -> None:
    orders = _table(address, "public.orders")
    held = (Readable(), HasColumns(), NotNull("customer"), Between("amount", -5, 99), OneOf("state", ("new", "paid", "odd")))
    report = looked(orders, *held)
    assert (report.outcome, report.rows, report.passes) == (Outcome.PASSED, 3, 1), report
    report = looked(
        orders, Unique(("id",)), Unique(("id", "more")), NotNull('od"d'), Between("amount", 0), OneOf("state", ("new",)),
        References(("customer",), "customers", ("id",)), others=(of(_table(address, "customers"), name="customers"),),
    )  # fmt: skip
    assert [(each.outcome, each.count) for each in report.findings] == [
        (Outcome.FAILED, 2), (Outcome.PASSED, 0), *[(Outcome.FAILED, 1)] * 4,
    ]  # fmt: skip
    assert by_name(report)["between.amount"].evidence[0].cells[0].text == "-2.00"


@needs_postgres
def test_a_query_of_postgresql_is_one_select_that_changes_nothing(address: Path, server: Server) -> None:
    report = looked(_table(address, "", "select id % 2 as odd from orders where id is not null"), NotNull("odd"))
    assert (report.outcome, report.rows) == (Outcome.PASSED, 2)
    for query in (
        "select 1) as a; commit; drop table orders; --", "delete from orders returning id",
        "select pg_catalog.setval('s', 1)", "with gone as (delete from orders returning id) select * from gone",
    ):  # fmt: skip
        assert looked(_table(address, "", query), Readable()).outcome is not Outcome.PASSED
    with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres") as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (3,)


@needs_postgres
def test_what_keeps_postgresql_from_answering_is_unknown_and_says_no_secret(address: Path, server: Server) -> None:
    address.write_text(f"host=127.0.0.1 port={server.port} user=guarded password='what nobody may see' dbname=postgres")
    refused = looked(_table(address, "orders"), Readable())
    assert refused.outcome is Outcome.UNKNOWN and "GRANT SELECT" in refused.unknown
    assert looked(_table(address, "customers"), Readable()).outcome is Outcome.PASSED
    address.write_text(f"host=127.0.0.1 port={server.port} user=guarded password=wrong-secret dbname=postgres")
    wrong = looked(_table(address, "orders"), Readable())
    address.write_text("the password is what nobody may see")
    nonsense = looked(_table(address, "orders"), Readable())
    address.write_text("host=127.0.0.1 port=1 user=app")
    gone = looked(_table(address, "orders"), Readable())
    for report in (wrong, nonsense, gone):
        assert report.outcome is Outcome.UNKNOWN and report.unknown and "secret" not in report.unknown
        assert "nobody may see" not in report.unknown


@needs_postgres
def test_a_table_that_is_locked_is_not_waited_for_and_one_that_is_gone_is_a_finding(address: Path, server: Server) -> None:
    with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres") as other:
        other.execute("lock table orders in access exclusive mode")
        report = looked(_table(address, "orders"), Readable())
    assert report.outcome is Outcome.UNKNOWN and "holds a lock" in report.unknown
    found = by_name(looked(_table(address, "order"), Readable()))["readable"]
    assert found.outcome is Outcome.FAILED and "does not exist" in found.reason


@needs_postgres
def test_a_database_that_goes_away_half_way_is_unknown(address: Path) -> None:
    ends_itself = "select pg_terminate_backend(pg_backend_pid())::text as id"
    report = looked(_table(address, "", ends_itself), Readable(), NotNull("id"))
    assert report.outcome is Outcome.UNKNOWN and "went away" in report.unknown
