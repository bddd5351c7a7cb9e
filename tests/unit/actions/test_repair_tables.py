"""repair_data and its undo on tables: a real PostgreSQL and SQLite, with others who work on the same rows."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.changing import Changing, changing
from tests.support.datasets import open_to_others
from tests.support.repairing_tables import execute, missing, plan, undone
from tests.support.tables import (
    K,
    PostgresShop,
    Shop,
    SqliteShop,
    held,
    of_orders,
    table_contract,
)
from zen_agents.actions.repair_data import RepairData
from zen_agents.datasets.contract import Repair
from zen_agents.errors import HostError, RefusedError, StalePlanError

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    open_to_others(tmp_path)
    return changing(tmp_path)


@contextmanager
def holding(shop: Shop) -> Iterator[None]:
    """Have somebody write the rows, and not end that."""
    if isinstance(shop, PostgresShop):
        with psycopg.connect(shop.conninfo) as other:
            other.execute("update orders set stock = stock + 1")
            yield
            other.rollback()
        return
    assert isinstance(shop, SqliteShop)
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield
        other.execute("rollback")


def _trigger(shop: Shop) -> Sequence[str]:
    if isinstance(shop, SqliteShop):
        return ["create trigger noted after update on orders begin insert into logs values ('t', new.id); end"]
    return [
        "create or replace function note() returns trigger language plpgsql as $$ begin return new; end $$",
        "create trigger noted after update on orders for each row execute function note()",
    ]


def test_rows_are_repaired_and_undo_gives_each_back(here: Changing, shop: Shop, tmp_path: Path) -> None:
    before = held(shop)
    planned = plan(here, of_orders(shop, tmp_path))
    assert "change 2 rows" in planned.steps[0] and "take out 2" in planned.steps[0], planned
    effect = execute(here, planned)
    assert held(shop) == [
        ("1", "Ada", "1234.50", "2025-12-31"), ("2", "Bolt", "5", "2026-01-02"), ("3", "?", "7", "2026-01-03"),
    ], effect  # fmt: skip
    (taken,) = (tmp_path / "taken").iterdir()
    lines = [json.loads(line) for line in taken.read_text().splitlines()]
    assert {(line["key"]["id"], line["reason"], line["values"]["amount"]) for line in lines} == {
        ("x", "type.id", "8"), ("5", "type.day", "-3"),
    }  # fmt: skip
    assert "5 rows in, 3 kept (2 changed), 2 taken out to" in effect.detail
    back = undone(here, planned, effect)
    assert held(shop) == before and back.detail.startswith("4 of 4 rows"), back
    assert missing(here, planned, effect) == ""


def test_undo_leaves_what_somebody_changed_since_and_names_it(here: Changing, shop: Shop, tmp_path: Path) -> None:
    planned = plan(here, of_orders(shop, tmp_path))
    effect = execute(here, planned)
    shop.run(
        "update orders set amount = '99' where id = '1'",
        "update orders set stock = 7 where id = '3'",
        "insert into orders (id, name) values ('x', 'mine')",
    )
    back = undone(here, planned, effect)
    found = {row[0]: row[1:] for row in held(shop)}
    assert found["1"] == ("Ada", "99", "2025-12-31") and found["3"] == (None, "7", "2026-01-03"), found
    assert found["x"] == ("mine", None, None) and found["5"] == ("Dyne", "-3", "2026-02-30")
    assert back.detail.startswith("2 of 4 rows") and "id=1" in back.detail and "id=x" in back.detail
    assert missing(here, planned, effect) == "2 of 4 rows are not as they were"


def test_rows_without_a_key_are_repaired_repetitions_dropped_and_all_put_back(
    here: Changing, shop: Shop, tmp_path: Path
) -> None:
    asked = table_contract(shop.source("logs"), Repair(K.TRIM), Repair(K.DROP_DUPLICATES), columns=())
    before = sorted(map(str, shop.rows("select at, what from logs")))
    planned = plan(here, asked)
    assert "change 1 rows" in planned.steps[0] and "drop 3 repetitions" in planned.steps[0], planned
    effect = execute(here, planned)
    assert sorted(map(str, shop.rows("select at, what from logs"))) == ["('1', 'a')", "('2', 'b')", "('2', None)"], effect
    undone(here, planned, effect)
    assert sorted(map(str, shop.rows("select at, what from logs"))) == before


def test_a_plan_is_stale_once_other_rows_need_it_and_nothing_is_kept(here: Changing, shop: Shop, tmp_path: Path) -> None:
    planned = plan(here, of_orders(shop, tmp_path))
    shop.run("update orders set name = ' Bolt' where id = '2'")
    before = held(shop)
    with pytest.raises(StalePlanError, match="other rows"):
        execute(here, planned)
    assert held(shop) == before and not here.controls.quarantine.files() and not [*(tmp_path / "taken").iterdir()]


def test_rows_that_nobody_may_put_in_again_are_not_taken_out(here: Changing, shop: Shop, tmp_path: Path) -> None:
    planned, before = plan(here, of_orders(shop, tmp_path)), held(shop)
    here.controls.quarantine.most_bytes = 10
    with pytest.raises(HostError, match="quarantine"):
        execute(here, planned)
    assert held(shop) == before and not [*(tmp_path / "taken").iterdir()]


def test_the_emergency_stop_ends_it_before_the_last_word(here: Changing, shop: Shop, tmp_path: Path) -> None:
    planned, before = plan(here, of_orders(shop, tmp_path)), held(shop)
    control = here.control()
    asked = 0

    def stops_late() -> None:
        nonlocal asked
        asked += 1
        if asked > 2:
            raise RefusedError("the emergency stop is set")

    control.check_stop = stops_late  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match="emergency"):
        asyncio.run(RepairData().execute(planned, control))
    assert held(shop) == before and asked > 2 and not [*(tmp_path / "taken").iterdir()]


def test_rows_of_other_tables_never_go_along(here: Changing, shop: Shop, tmp_path: Path) -> None:
    shop.run("create table lines (number integer, of varchar(9) references orders (id) on delete cascade)")
    shop.run("insert into lines values (1, 'x')")
    before = held(shop)
    with pytest.raises(RefusedError, match="rows of lines would go along"):
        plan(here, of_orders(shop, tmp_path))
    assert held(shop) == before and shop.rows("select count(*) from lines") == [(1,)]
    moves = table_contract(shop.source("orders"), Repair(K.NORMALISE_CASE, ("id",), form="upper"), columns=())
    shop.run("drop table lines", "create table lines (of varchar(9) references orders (id) on update cascade)")
    with pytest.raises(RefusedError, match="'id' would change rows of other tables"):
        plan(here, moves)


def test_somebody_who_holds_the_rows_is_not_waited_for_long(here: Changing, shop: Shop, tmp_path: Path) -> None:
    planned = plan(here, of_orders(shop, tmp_path))
    with holding(shop), pytest.raises(HostError, match="somebody"):
        execute(here, planned)
    assert len(held(shop)) == 5


def test_what_is_more_than_may_be_asks_first_and_triggers_do(here: Changing, shop: Shop, tmp_path: Path) -> None:
    assert plan(here, of_orders(shop, tmp_path)).asks == ()
    (asks,) = plan(here, of_orders(shop, tmp_path, repair_at_most=0.5)).asks
    assert asks == "it is about 80.0% of the rows, and repair_at_most is 50.0%"
    shop.run(*_trigger(shop))
    (asks,) = plan(here, of_orders(shop, tmp_path)).asks
    assert asks.startswith("it starts noted")


def test_what_cannot_be_repaired_says_why(here: Changing, shop: Shop, tmp_path: Path) -> None:
    shop.run("create view shown as select * from orders")
    for repairs, table, why in (
        ((Repair(K.TRIM),), "shown", "no rows of its own|name the table behind it"),
        ((Repair(K.TRIM),), "order", "no table|no such table"),
        ((Repair(K.TRIM, ("nmae",)),), "orders", "is it 'name'"),
        ((Repair(K.RENAME_HEADERS),), "orders", "is for files"),
    ):
        with pytest.raises(RefusedError, match=why):
            plan(here, table_contract(shop.source(table), *repairs))
    shop.run("drop view shown")
    with pytest.raises(StalePlanError, match="needs a repair"):
        plan(here, table_contract(shop.source("orders"), Repair(K.NORMALISE_UNICODE), columns=()))
