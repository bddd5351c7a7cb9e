"""repair_data and its undo on tables: a real PostgreSQL and SQLite, with others who work on the same rows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import Changing, changing
from tests.support.datasets import open_to_others
from tests.support.postgres_here import Server, needs_postgres, postgres_here
from tests.support.tables import TYPED, K, PostgresShop, Shop, SqliteShop, table_contract
from zen_agents.actions.put_back_rows import PutBackRows
from zen_agents.actions.repair_data import RepairData
from zen_agents.datasets.contract import Column, ColumnType, Contract, Repair
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.questions import NotNull, OfType
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan

pytest.importorskip("psycopg")
ROWS = [
    ("1", " Ada ", "1.234,50", "31.12.2025"), ("2", "Bolt", "5", "2026-01-02"), ("3", None, "7", "2026-01-03"),
    ("x", "Cogs", "8", "2026-01-04"), ("5", "Dyne", "-3", "2026-02-30"),
]  # fmt: skip
REPAIRS = (
    Repair(K.TRIM), Repair(K.COERCE, ("amount",), form=","), Repair(K.COERCE, ("day",), form="%d.%m.%Y"),
    Repair(K.FILL, ("name",), value="?"), Repair(K.CLAMP, ("amount",), least=0), Repair(K.QUARANTINE_ROWS),
)  # fmt: skip
ASKS = (OfType("id"), OfType("day"), NotNull("name"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_here() as found:
        yield found


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    open_to_others(tmp_path)
    return changing(tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=needs_postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    open_to_others(tmp_path)
    return sqlite_shop(tmp_path) if request.param == "sqlite" else postgres_shop(request, tmp_path)


def sqlite_shop(tmp_path: Path) -> SqliteShop:
    folder = tmp_path / "srv"
    folder.mkdir()
    folder.chmod(0o777)
    made = SqliteShop(folder / "shop.db")
    fill(made)
    made.path.chmod(0o666)
    return made


def postgres_shop(request: pytest.FixtureRequest, tmp_path: Path) -> PostgresShop:
    server: Server = request.getfixturevalue("server")
    address = tmp_path / "address"
    address.write_text(f"host=127.0.0.1 port={server.port} user=keeper dbname=postgres\n")
    address.chmod(0o600)
    made = PostgresShop(server, address)
    made.run("drop table if exists lines, orders, logs cascade", "drop role if exists keeper", "create role keeper login")
    fill(made)
    made.run("grant select, insert, update, delete on orders, logs to keeper")
    return made


def fill(shop: Shop) -> None:
    values = ", ".join("(" + ", ".join("null" if each is None else f"'{each}'" for each in row) + ")" for row in ROWS)
    shop.run(
        "create table orders (id varchar(9) primary key, name text, amount text, day text, stock integer default 1)",
        f"insert into orders (id, name, amount, day) values {values}",
        "create table logs (at text, what text)",
        "insert into logs values ('1', 'a'), ('1', 'a'), (' 1', 'a'), ('2', 'b'), ('2', null), ('2', null)",
    )


def contract(shop: Shop, tmp_path: Path, **more: Any) -> Contract:
    taken = tmp_path / "taken"
    taken.mkdir(exist_ok=True)
    return table_contract(shop.source("orders"), *REPAIRS, asks=ASKS, quarantine=str(taken), **more)


def plan(here: Changing, asked: Contract) -> Plan:
    return here.plan(RepairData(), "dataset:orders", {"contract": contract_to_plain(asked)})


def execute(here: Changing, planned: Plan) -> Effect:
    return asyncio.run(RepairData().execute(planned, here.control()))


def undone(here: Changing, planned: Plan, effect: Effect) -> Effect:
    inverse = RepairData().inverse(planned, effect)
    assert inverse is not None and inverse.action == PutBackRows.name
    taken = PutBackRows().plan(inverse, here.host.look())
    return asyncio.run(PutBackRows().execute(taken, here.control()))


def missing(here: Changing, planned: Plan, effect: Effect) -> str:
    inverse = RepairData().inverse(planned, effect)
    assert inverse is not None
    back = Plan(inverse, (), (), "", PutBackRows.risk, PutBackRows.reversible, PutBackRows.budget)
    return PutBackRows().missing(back, here.host.look())


def held(shop: Shop) -> Sequence[tuple[Any, ...]]:
    return shop.rows("select id, name, amount, day from orders order by id")


def test_rows_are_repaired_and_undo_gives_each_back(here: Changing, shop: Shop, tmp_path: Path) -> None:
    before = held(shop)
    planned = plan(here, contract(shop, tmp_path))
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
