"""Tables compared with files and with tables of other databases."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.datasets import contract, open_to_others
from tests.support.postgres_here import Server, needs_postgres
from tests.support.tables import PostgresShop
from zen_agents.adapters.data_checks import compare_data
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.difference import Difference, RowChange
from zen_agents.datasets.job import diff_question, difference_in
from zen_agents.datasets.source import Source, SourceKind

psycopg = pytest.importorskip("psycopg")
CREATED = (
    "create table orders (id integer, name text, price numeric(9, 2), day date)",
    "insert into orders values (1, 'Ada', 10.50, '2026-01-01'), (2, null, 3, null), (3, '', 7, '2026-01-03')",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_to_others(tmp_path)
    return tmp_path


@pytest.fixture
def shop(server: Server, folder: Path) -> PostgresShop:
    address = folder / "address"
    address.write_text(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres\n")
    address.chmod(0o600)
    made = PostgresShop(server, address)
    made.run("drop table if exists orders", *CREATED)
    return made


def of(source: Source) -> Contract:
    return Contract(source.place, source)


def compared(before: Contract, after: Contract) -> Difference | str:
    return difference_in(asyncio.run(compare_data(diff_question(before, after, ("id",)))))


def sqlite_of(folder: Path, *statements: str) -> Contract:
    path = folder / "orders.db"
    with closing(sqlite3.connect(path)) as connection:
        for each in statements:
            connection.execute(each)
        connection.commit()
    return of(Source(SourceKind.SQLITE, str(path), table="orders"))


@needs_postgres
def test_tables_of_two_databases_are_compared_by_what_values_mean(shop: PostgresShop, folder: Path) -> None:
    lite = sqlite_of(folder, *CREATED)
    same = compared(of(shop.source("orders")), lite)
    assert isinstance(same, Difference) and same.is_same and (same.rows_before, same.rows_after) == (3, 3), same
    shop.run(
        "update orders set price = 10.51 where id = 1", "delete from orders where id = 2", "update orders set name = null"
    )
    found = compared(of(shop.source("orders")), lite)
    assert isinstance(found, Difference)
    assert (found.added, found.removed, found.changed) == (1, 0, 2)
    changes = {row.keys[0].text: [(each.column, each.text) for each in row.after] for row in found.rows
               if row.change is RowChange.CHANGED}  # fmt: skip
    # Nothing and a text without characters are two things.
    assert changes == {"1": [("name", "Ada"), ("price", "10.5")], "3": [("name", "")]}


@needs_postgres
def test_a_file_is_compared_with_the_table_that_it_was_written_from(shop: PostgresShop, folder: Path) -> None:
    path = folder / "orders.csv"
    path.write_text("id,name,price,day\n1,Ada,10.5,2026-01-01\n2,,3.0,\n4,new,1,2026-01-04\n")
    found = compared(contract(path), of(shop.source("orders")))
    assert isinstance(found, Difference)
    assert (found.added, found.removed, found.changed) == (1, 1, 0), found


@needs_postgres
def test_a_database_that_is_away_or_goes_away_half_way_is_told(shop: PostgresShop, folder: Path) -> None:
    path = folder / "orders.csv"
    path.write_text("id\n1\n")
    ends = (
        "select pg_terminate_backend(pg_backend_pid())::text as id from generate_series(1, 2) where pg_sleep(0) is not null"
    )
    gone = Source(SourceKind.POSTGRES, dsn_file=str(shop.address), query=ends)
    assert "went away" in str(compared(contract(path), of(gone)))
    shop.address.write_text("host=127.0.0.1 port=1 user=postgres")
    assert "cannot be asked" in str(compared(contract(path), of(shop.source("orders"))))
    missing = of(Source(SourceKind.SQLITE, str(folder / "nothing.db"), table="orders"))
    assert "nothing.db" in str(compared(contract(path), missing))
