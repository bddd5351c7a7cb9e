"""A repair of a table that is cut off at each step: the rows are as they were, or all repaired, and it is known which."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from tests.support.changing import Changing, changing
from tests.support.cut_proxy import cut_proxy
from tests.support.datasets import open_to_others
from tests.support.engine_process import wait_for
from tests.support.postgres_here import Server, needs_postgres
from tests.support.repairing_tables import kill_worker
from tests.support.tables import K, PostgresShop, Shop, held, of_orders, postgres_shop, sqlite_shop, table_contract
from zen_agents.adapters.table_repairs import Asked, PreparedTable, ask_table, prepared, settled
from zen_agents.adapters.worker_process import WorkerError
from zen_agents.datasets.contract import Repair
from zen_agents.datasets.job import table_question
from zen_agents.datasets.questions import NotNull
from zen_agents.errors import HostError
from zen_agents.jobs.table_repair import UNDO

psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    open_to_others(tmp_path)
    return changing(tmp_path)


async def repair_and(table: Shop, tmp_path: Path, then: Callable[[PreparedTable], None]) -> tuple[str, str]:
    """Prepare a repair, do something then, and make it final; return its mark, and a copy of what undo needs."""
    undo = tmp_path / "undo"
    async with prepared(table_question(of_orders(table, tmp_path)), Asked("repair")) as found:
        undo.write_bytes((found.directory / UNDO).read_bytes())
        mark = found.mark
        then(found)
        with suppress(WorkerError):
            await found.commit()
    return mark, str(undo)


def test_a_look_tells_which_rows_would_be_taken_out_and_for_which_checks(shop: Shop, tmp_path: Path) -> None:
    reply = asyncio.run(ask_table(table_question(of_orders(shop, tmp_path), shown=5), Asked("look")))
    assert reply.repair is not None
    assert sorted((dict(each.keys)["id"], each.why) for each in reply.repair.leaving) == [
        ("5", "type.day"),
        ("x", "type.id"),
    ]


def test_a_file_that_may_not_be_written_says_who_may_not_and_what_to_name(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    table = sqlite_shop(tmp_path)
    table.path.chmod(0o444)
    with pytest.raises(HostError, match=r"may not write the file or its directory; name one that may in `source: \{user"):
        asyncio.run(repair_and(table, tmp_path, lambda _: None))


def test_a_worker_that_is_killed_when_all_is_ready_has_changed_nothing(shop: Shop, tmp_path: Path) -> None:
    before = held(shop)
    mark, undo = asyncio.run(repair_and(shop, tmp_path, lambda _: kill_worker()))
    assert held(shop) == before
    question = table_question(of_orders(shop, tmp_path))
    assert asyncio.run(settled(question, Asked("settle", mark=mark, undo=undo))) is False


def test_what_was_made_final_is_known_to_be(shop: Shop, tmp_path: Path) -> None:
    mark, undo = asyncio.run(repair_and(shop, tmp_path, lambda _: None))
    assert len(held(shop)) == 3
    question = table_question(of_orders(shop, tmp_path))
    assert asyncio.run(settled(question, Asked("settle", mark=mark, undo=undo))) is True


def test_a_worker_that_is_killed_while_it_changes_rows_has_changed_none(shop: Shop, tmp_path: Path) -> None:
    values = ", ".join(f"('r{number}', ' name {number}')" for number in range(20_000))
    shop.run(f"insert into orders (id, name) values {values}")
    spill = tmp_path / "spill"
    spill.mkdir()
    before = held(shop)
    limits = replace(of_orders(shop, tmp_path).limits, spill_dir=str(spill))

    def begun() -> bool:
        return any(each.stat().st_size for each in spill.rglob(UNDO))

    async def work() -> None:
        async with prepared(table_question(of_orders(shop, tmp_path, limits=limits)), Asked("repair")):
            raise AssertionError("it was killed")

    async def killed() -> None:
        task = asyncio.ensure_future(work())
        await asyncio.to_thread(wait_for, begun, "a first change")
        kill_worker()
        with pytest.raises(HostError, match="could not be repaired"):
            await task

    asyncio.run(killed())
    assert held(shop) == before and not [*spill.iterdir()]


def test_a_killed_worker_at_the_last_moment_is_told_by_the_engine(here: Changing, shop: Shop, tmp_path: Path) -> None:
    before, looks = held(shop), 0

    def kills() -> None:
        nonlocal looks
        looks += 1
        if looks == 4:
            kill_worker()

    tables = here.controls.tables(kills)
    with pytest.raises(HostError, match="orders was not changed"):
        asyncio.run(tables.repair(table_question(of_orders(shop, tmp_path)), "", str(tmp_path / "taken"), "repair_data"))
    assert held(shop) == before and not [*(tmp_path / "taken").iterdir()]


def test_a_file_that_cannot_grow_ends_it_and_stays_whole(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    table = sqlite_shop(tmp_path)
    values = ", ".join(f"('r{number}', ' {'n' * 50}')" for number in range(2000))
    table.run(f"insert into orders (id, name) values {values}")
    before = held(table)
    asked = of_orders(table, tmp_path)
    # No file of the worker's may be longer: neither what undo needs, nor the database and its journal.
    small = replace(asked, limits=replace(asked.limits, spill_bytes=4096))

    async def work() -> None:
        async with prepared(table_question(small), Asked("repair")) as found:
            await found.commit()

    with pytest.raises(HostError):
        asyncio.run(work())
    assert held(table) == before
    with closing(sqlite3.connect(table.path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def _through(table: PostgresShop, port: int) -> None:
    table.address.write_text(f"host=127.0.0.1 port={port} user=keeper dbname=postgres\n")


@needs_postgres
@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_connection_that_ends_with_the_transaction_is_no_riddle(
    server: Server, tmp_path: Path, cut: Literal["before", "after"]
) -> None:
    open_to_others(tmp_path)
    table = postgres_shop(server, tmp_path)
    before = held(table)

    async def work() -> str:
        async with prepared(table_question(of_orders(table, tmp_path)), Asked("repair")) as found:
            return (await found.commit()).settled

    with cut_proxy(server.port, b"COMMIT", cut) as proxy:
        _through(table, proxy.port)
        if cut == "after":
            assert asyncio.run(work()) == "done" and len(held(table)) == 3
        else:
            with pytest.raises(HostError, match="nothing was changed"):
                asyncio.run(work())
            assert held(table) == before
        assert proxy.has_cut.is_set()


@needs_postgres
def test_a_server_that_ends_the_session_half_way_has_changed_nothing(server: Server, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    table = postgres_shop(server, tmp_path)
    before = held(table)

    async def work() -> None:
        async with prepared(table_question(of_orders(table, tmp_path)), Asked("repair")) as found:
            table.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'keeper'")
            await found.commit()

    with pytest.raises(HostError, match="went away"):
        asyncio.run(work())
    assert held(table) == before


@needs_postgres
def test_rows_are_not_locked_longer_than_they_may(server: Server, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    table = postgres_shop(server, tmp_path)
    table.run(
        "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.6); return new; end $$",
        "create trigger slow before update on orders for each row execute function slow()",
    )
    asked = of_orders(table, tmp_path)
    before = held(table)

    async def work() -> None:
        async with prepared(table_question(replace(asked, limits=replace(asked.limits, lock_seconds=1.0))), Asked("repair")):
            raise AssertionError

    with pytest.raises(HostError, match=r"longer than (it|they) may"):
        asyncio.run(work())
    assert held(table) == before


def test_what_took_too_long_is_told_by_its_limit_and_undo_is_not_ended_by_that(shop: Shop, tmp_path: Path) -> None:
    before, asked = held(shop), of_orders(shop, tmp_path)
    at_once = table_question(replace(asked, limits=replace(asked.limits, lock_seconds=1e-9)))

    async def repaired() -> None:
        async with prepared(at_once, Asked("repair")):
            raise AssertionError

    with pytest.raises(HostError, match=r"limits: \{lock: "):
        asyncio.run(repaired())
    _, undo = asyncio.run(repair_and(shop, tmp_path, lambda _: None))
    assert held(shop) != before

    async def put_back() -> None:
        async with prepared(at_once, Asked("put_back", undo=undo)) as found:
            await found.commit()

    asyncio.run(put_back())
    assert held(shop) == before


def test_more_rows_than_may_be_are_told_with_the_setting(shop: Shop, tmp_path: Path) -> None:
    asked = of_orders(shop, tmp_path)
    few = replace(asked, limits=replace(asked.limits, most_rows=3))
    assert "limits: {rows:" in asyncio.run(ask_table(table_question(few), Asked("look"))).unable
    enough = replace(asked, limits=replace(asked.limits, most_rows=4))
    found = asyncio.run(ask_table(table_question(enough), Asked("look"))).repair
    assert found is not None and found.changed + found.taken == 4


@needs_postgres
def test_a_role_that_may_not_and_rows_that_are_hidden_end_it_with_a_word(server: Server, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    table = postgres_shop(server, tmp_path)
    question = table_question(of_orders(table, tmp_path))

    async def work() -> None:
        async with prepared(question, Asked("repair")):
            raise AssertionError

    table.run("revoke insert on orders from keeper")
    with pytest.raises(HostError, match="GRANT INSERT"):
        asyncio.run(work())
    table.run("grant insert on orders to keeper", "revoke update, delete on orders from keeper")
    with pytest.raises(HostError, match="GRANT SELECT, INSERT"):
        asyncio.run(work())
    table.run("alter table orders enable row level security")
    with pytest.raises(HostError, match="row-level security"):
        asyncio.run(work())


@needs_postgres
def test_types_of_all_kinds_come_back_as_they_were(server: Server, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    table = postgres_shop(server, tmp_path)
    table.run(
        "drop table if exists kinds",
        """create table kinds (
             number bigint generated always as identity primary key, name char(8), tag "char", bits bit(3),
             price numeric(9, 2),
             moment timestamptz, more jsonb, list text[], raw bytea, span interval,
             twice bigint generated always as (length(name) * 2) stored)""",
        """insert into kinds (name, tag, bits, price, moment, more, list, raw, span) values
             (' ab', 'x', '101', 999.5, now(), '{"a": [1]}', '{a,"b c",null}', '\\xff00', '1 day 2 hours'),
             ('c', null, null, 1, 'infinity', 'null', '{}', '', null)""",
        "grant select, insert, update, delete on kinds to keeper",
    )
    before = table.rows("select kinds::text from kinds order by 1")
    asked = table_contract(
        table.source("kinds"), Repair(K.TRIM, ("name",)), Repair(K.CLAMP, ("price",), most=100.5),
        Repair(K.QUARANTINE_ROWS), asks=[NotNull("tag")], columns=(),
    )  # fmt: skip
    asked = replace(asked, name="kinds")
    undo = tmp_path / "undo"

    async def work(verb: str) -> None:
        async with prepared(table_question(asked), Asked(verb, undo=str(undo) if verb == "put_back" else "")) as found:
            if verb == "repair":
                undo.write_bytes((found.directory / UNDO).read_bytes())
            await found.commit()

    asyncio.run(work("repair"))
    assert table.rows("select name, price from kinds") == [("ab      ", pytest.approx(100.5))]
    asyncio.run(work("put_back"))
    assert table.rows("select kinds::text from kinds order by 1") == before
