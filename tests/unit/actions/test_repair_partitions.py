"""Tables in partitions, with columns that the database fills, are repaired and put back; what cannot be is told before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import Changing, changing
from tests.support.datasets import open_to_others
from tests.support.postgres_here import Server, needs_postgres
from tests.support.repairing_tables import execute, missing, plan, undone
from tests.support.tables import PostgresShop, postgres_shop, table_contract
from zen_agents.datasets.contract import Column, ColumnType, Contract, Repair, RepairKind
from zen_agents.datasets.questions import NotNull, OfType
from zen_agents.errors import HostError, RefusedError

pytestmark = needs_postgres

K = RepairKind
_PARTITIONED = (
    "create table sales (id integer generated always as identity, day date not null, state text, amount text,"
    " loud text generated always as (upper(state)) stored, primary key (id, day)) partition by range (day)",
    "create table sales_2025 partition of sales for values from ('2025-01-01') to ('2026-01-01')",
    "create table sales_2026 partition of sales for values from ('2026-01-01') to ('2027-01-01') partition by hash (id)",
    "create table sales_2026_0 partition of sales_2026 for values with (modulus 2, remainder 0)",
    "create table sales_2026_1 partition of sales_2026 for values with (modulus 2, remainder 1)",
    "create table sales_rest partition of sales default",
    "insert into sales (day, state, amount) select date '2025-06-01' + 200 * n, ' new ', case n when 2 then 'x' else '1' end"
    " from generate_series(0, 5) as n",
    "grant select, insert, update, delete on sales to keeper",
)


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> PostgresShop:
    open_to_others(tmp_path)
    made = postgres_shop(server, tmp_path)
    made.run(*_PARTITIONED)
    return made


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


def of_sales(shop: PostgresShop, tmp_path: Path, *repairs: Repair) -> Contract:
    """Return a contract by which rows are trimmed, and the one whose amount is no number is taken out."""
    (tmp_path / "taken").mkdir(exist_ok=True)
    return table_contract(
        shop.source("sales"), *(repairs or (Repair(K.TRIM, ("state",)), Repair(K.QUARANTINE_ROWS))),
        asks=(OfType("amount"),), columns=(Column("amount", ColumnType.NUMBER),), quarantine=str(tmp_path / "taken"),
    )  # fmt: skip


def held(shop: PostgresShop, table: str = "sales") -> Sequence[tuple[Any, ...]]:
    """Return all rows, and where each lies."""
    return shop.rows(f"select tableoid::regclass::text, * from {table} order by 2, 1")


def test_rows_of_all_partitions_are_repaired_and_put_back(here: Changing, shop: PostgresShop, tmp_path: Path) -> None:
    before = held(shop)
    planned = plan(here, of_sales(shop, tmp_path))
    assert planned.steps[0].startswith("change 5 rows") and "take out 1" in planned.steps[0] and planned.asks == ()
    effect = execute(here, planned)
    assert [(row[1], row[3], row[5]) for row in held(shop)] == [(each, "new", "NEW") for each in (1, 2, 4, 5, 6)]
    back = undone(here, planned, effect)
    assert back.detail.startswith("6 of 6 rows") and held(shop) == before
    assert missing(here, planned, effect) == ""


def test_a_row_whose_repair_belongs_into_another_partition_goes_there_and_back(
    here: Changing, shop: PostgresShop, tmp_path: Path
) -> None:
    shop.run(
        "create table parts (of text, n integer, primary key (of, n)) partition by list (of)",
        "create table parts_a partition of parts for values in ('a')",
        "create table parts_rest partition of parts default",
        "insert into parts values ('a', 1), (' a', 2), ('b ', 3)",
        "grant select, insert, update, delete on parts to keeper",
    )
    before = held(shop, "parts")
    planned = plan(here, table_contract(shop.source("parts"), Repair(K.TRIM, ("of",)), columns=()))
    effect = execute(here, planned)
    assert held(shop, "parts") == [("parts_a", "a", 1), ("parts_a", "a", 2), ("parts_rest", "b", 3)]
    undone(here, planned, effect)
    assert held(shop, "parts") == before
    shop.run(
        "alter table parts detach partition parts_rest", "create table only_b partition of parts for values in (' b')",
        "insert into parts values (' b', 4)",
    )  # fmt: skip
    nowhere = plan(here, table_contract(shop.source("parts"), Repair(K.TRIM, ("of",)), columns=()))
    with pytest.raises(HostError, match="no partition of relation"):
        execute(here, nowhere)
    assert shop.rows("select of from only_b") == [(" b",)]


def test_what_a_partition_brings_along_is_known_before_anything_is_done(
    here: Changing, shop: PostgresShop, tmp_path: Path
) -> None:
    shop.run(
        "create or replace function note() returns trigger language plpgsql as $$ begin return new; end $$",
        "create trigger hidden before update on sales_2026_1 for each row execute function note()",
    )
    (asks,) = plan(here, of_sales(shop, tmp_path)).asks
    assert asks.startswith("it starts hidden")
    shop.run("create table items (of integer, day date, foreign key (of, day) references sales_2025 on delete cascade)")
    here.host.look().forget_repair("orders")
    with pytest.raises(RefusedError, match="rows of items would go along"):
        plan(here, of_sales(shop, tmp_path))
    with pytest.raises(RefusedError, match="'id' is numbered by the database"):
        plan(here, of_sales(shop, tmp_path, Repair(K.CLAMP, ("id",), least=3)))
    with pytest.raises(RefusedError, match="'loud' is computed by the database"):
        plan(here, of_sales(shop, tmp_path, Repair(K.TRIM, ("loud",))))


def test_rows_that_lie_elsewhere_are_hidden_or_inherited_end_it_with_a_word(
    here: Changing, shop: PostgresShop, tmp_path: Path
) -> None:
    shop.run("alter table sales enable row level security")
    with pytest.raises(RefusedError, match="row-level security"):
        plan(here, of_sales(shop, tmp_path))
    shop.run(
        "alter table sales disable row level security",
        "drop foreign data wrapper if exists nothing cascade", "create foreign data wrapper nothing",
        "create server far foreign data wrapper nothing",
        "create table bases (of text) partition by list (of)",
        "create foreign table bases_far partition of bases for values in ('far') server far",
        "grant select, insert, update, delete on bases to keeper",
    )  # fmt: skip
    with pytest.raises(RefusedError, match=r"lies elsewhere \(bases_far\)"):
        plan(here, table_contract(shop.source("bases"), Repair(K.TRIM), columns=()))
    shop.run("create table more () inherits (orders)")
    with pytest.raises(RefusedError, match="other tables inherit from orders"):
        plan(here, table_contract(shop.source("orders"), Repair(K.TRIM), asks=(NotNull("name"),), columns=()))
