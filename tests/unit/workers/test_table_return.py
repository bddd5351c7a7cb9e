"""The undo of a table whose rows have no key, or one that is compared otherwise: no row costs a reading of the table."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.changing import IS_ROOT
from tests.support.datasets import open_to_others
from tests.support.postgres_here import Server, needs_postgres
from tests.support.tables import K, PostgresShop, Shop, SqliteShop, postgres_shop, sqlite_shop, table_contract
from zen_agents.adapters.table_repairs import Asked, prepared
from zen_agents.datasets.contract import Contract, Limits, Repair
from zen_agents.datasets.job import table_question
from zen_agents.datasets.sql import sql
from zen_agents.datasets.table import BackendError
from zen_agents.errors import HostError
from zen_agents.jobs.data_repair import TableRepair
from zen_agents.jobs.table_repair import UNDO, PutBack
from zen_agents.workers import row_places
from zen_agents.workers.postgres_rows import postgres_driver
from zen_agents.workers.postgres_table import PostgresTable
from zen_agents.workers.sqlite_table import SqliteTable
from zen_agents.workers.table_return import TableReturn

pytest.importorskip("psycopg")

_STEPS = 100


class CountedSqlite(SqliteTable):
    """Counts what the database does."""

    def __init__(self, path: str, limits: Limits, spill: Path) -> None:
        super().__init__(path, limits, spill, is_still=False)
        self.work = 0
        self._connection.set_progress_handler(self._counted, _STEPS)

    def _counted(self) -> int:
        self.work += 1
        return 0


def contract(shop: Shop) -> Contract:
    """Return what is done to the rows of `wide`."""
    return table_contract(shop.source("wide"), Repair(K.TRIM, ("v",)), Repair(K.DROP_DUPLICATES), columns=())


def fill(shop: Shop, rows: int, key: str = "") -> None:
    """Make a table of rows that come three times each, twice to be repaired, unless a key keeps them apart."""
    shop.run("drop table if exists wide", f"create table wide (id text {key}, v text, w text)")
    times = 1 if key else 3
    values = (f"('k{at // times}', '{'' if at % 3 == 2 else ' '}v{at // times}', 'w')" for at in range(rows))
    shop.run(f"insert into wide values {', '.join(values)}")
    if isinstance(shop, PostgresShop):
        shop.run("grant select, insert, update, delete on wide to keeper")


def repaired(asked: Contract, undo: Path) -> TableRepair:
    """Have the table repaired, and keep what undo needs."""

    async def work() -> TableRepair:
        async with prepared(table_question(asked), Asked("repair")) as found:
            shutil.copyfile(found.directory / UNDO, undo)
            done = (await found.commit()).repair
            assert done is not None
            return done

    return asyncio.run(work())


@contextmanager
def session(shop: Shop, asked: Contract, spill: Path) -> Iterator[CountedSqlite | PostgresTable]:
    """Reach the database in this process; what was done there is made final."""
    found: CountedSqlite | PostgresTable
    if isinstance(shop, PostgresShop):
        found = PostgresTable(postgres_driver(), shop.address.read_text(), asked.limits)
    else:
        found = CountedSqlite(asked.source.path, asked.limits, spill)
    with closing(found):
        found.begin_changing(60.0)
        yield found
        found.commit()


def put_back(table: CountedSqlite | PostgresTable, asked: Contract, undo: Path, spill: Path) -> PutBack:
    """Tell that it took place, put all back, and see that all is as it was."""
    with undo.open("rb") as kept:
        assert TableReturn(asked, table, kept, spill).was_done() is True
        back = TableReturn(asked, table, kept, spill).put_back()
        assert TableReturn(asked, table, kept, spill).was_done() is False
        looked = TableReturn(asked, table, kept, spill).looked()
        assert looked.back == looked.rows == back.rows == back.back, (back, looked)
        return back


@pytest.mark.parametrize("key", ["", "primary key collate nocase"])
def test_the_work_of_sqlite_grows_with_the_rows_and_not_with_their_square(tmp_path: Path, key: str) -> None:
    open_to_others(tmp_path)
    shop, undo = sqlite_shop(tmp_path), tmp_path / "undo"
    work = []
    for rows in (600, 2400):
        fill(shop, rows, key)
        before = sorted(shop.rows("select * from wide"))
        done = repaired(asked := contract(shop), undo)
        assert done.changed == rows * 2 // 3 and done.dropped == (0 if key else rows * 2 // 3)
        with session(shop, asked, tmp_path) as table:
            assert put_back(table, asked, undo, tmp_path).back == done.changed + done.dropped
            assert isinstance(table, CountedSqlite)
            work.append(table.work)
        assert sorted(shop.rows("select * from wide")) == before
    assert work[1] < 6 * work[0], work


@needs_postgres
def test_a_postgresql_reads_the_table_as_often_for_many_rows_as_for_few(server: Server, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    shop, undo = postgres_shop(server, tmp_path), tmp_path / "undo"
    reads = []
    for rows in (300, 9000):
        fill(shop, rows)
        before = sorted(shop.rows("select * from wide"))
        done = repaired(asked := contract(shop), undo)
        with session(shop, asked, tmp_path) as table:
            assert put_back(table, asked, undo, tmp_path).back == done.changed + done.dropped
            (read,) = table.rows(sql("select seq_scan from pg_stat_xact_user_tables where relname = 'wide'"))
            reads.append(read[0])
        assert sorted(shop.rows("select * from wide")) == before
    assert reads[0] == reads[1], reads


def test_a_row_without_a_key_that_somebody_changed_since_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    fill(shop, 6)
    asked = replace(contract(shop), repairs=(Repair(K.TRIM, ("v",)),))
    undo = tmp_path / "undo"
    assert repaired(asked, undo).changed == 4
    shop.run("update wide set w = 'mine' where v = 'v1'")
    with session(shop, asked, tmp_path) as table, undo.open("rb") as kept:
        back = TableReturn(asked, table, kept, tmp_path).put_back()
    assert (back.rows, back.back) == (4, 2)
    assert sorted(shop.rows("select v, w from wide")) == [
        (" v0", "w"), (" v0", "w"), ("v0", "w"), ("v1", "mine"), ("v1", "mine"), ("v1", "mine"),
    ]  # fmt: skip


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small file system")
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_on_a_full_disk_a_table_stays_repaired_and_is_put_back_once_there_is_room(tmp_path: Path, journal: str) -> None:
    open_to_others(tmp_path)
    (place := tmp_path / "small").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=1777", "none", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        shop = SqliteShop(place / "shop.db")
        shop.run(f"pragma journal_mode = {journal}", "create table wide (id integer primary key, v text)")
        values = ", ".join(f"({at}, ' {'n' * 500}')" for at in range(1500))
        shop.run(f"insert into wide values {values}")
        for each in place.iterdir():
            each.chmod(0o666)
        asked, undo = table_contract(shop.source("wide"), Repair(K.TRIM, ("v",)), columns=()), tmp_path / "undo"
        assert repaired(asked, undo).changed == 1500
        filler = place / "filler"
        filler.write_bytes(bytes(max(0, shutil.disk_usage(place).free - 100_000)))

        async def put() -> None:
            async with prepared(table_question(asked), Asked("put_back", undo=str(undo))) as found:
                await found.commit()

        with pytest.raises(HostError, match="disk is full"):
            asyncio.run(put())
        assert shop.rows("select count(*) from wide where v like ' %'") == [(0,)]
        filler.unlink()
        asyncio.run(put())
        assert shop.rows("select count(*) from wide where v like ' %'") == [(1500,)]
        assert shop.rows("pragma integrity_check") == [("ok",)]
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_no_room_to_note_where_rows_stand_is_told_and_nothing_is_put_back(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(shop, 3000)
    asked, undo = contract(shop), tmp_path / "undo"
    assert repaired(asked, undo).changed == 2000
    monkeypatch.setattr(row_places, "_MADE", ("PRAGMA max_page_count = 8", *row_places._MADE))
    full = pytest.raises(BackendError, match="where rows stand cannot be noted")
    with session(shop, asked, tmp_path) as table, undo.open("rb") as kept, full:
        TableReturn(asked, table, kept, tmp_path).put_back()


@needs_postgres
@pytest.mark.parametrize("step", ["begin", "look"])
def test_a_server_that_went_away_between_two_statements_is_told_in_words(server: Server, tmp_path: Path, step: str) -> None:
    open_to_others(tmp_path)
    shop = postgres_shop(server, tmp_path)
    fill(shop, 3, "primary key")
    asked = contract(shop)
    with closing(PostgresTable(postgres_driver(), shop.address.read_text(), asked.limits)) as table:
        shape = table.shape(asked.source)
        shop.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'keeper'")
        with pytest.raises(BackendError, match="the database went away"):
            if step == "begin":
                table.begin_changing(60.0)
            else:
                table.alike(shape, [["k1", "v1", "w"]])
