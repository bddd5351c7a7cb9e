"""A PostgreSQL that goes away, or whose disk is full, while somebody is at work: that is told, and no row is harmed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import psutil
import pytest

from tests.support.changing import IS_ROOT, Changing, changing
from tests.support.datasets import NOW, open_to_others
from tests.support.engine_process import wait_for
from tests.support.postgres_here import MortalServer, mortal_postgres, needs_postgres
from tests.support.repairing_tables import execute, kill_worker, plan, undone
from tests.support.tables import K, PostgresShop, held, of_orders, postgres_shop, table_contract
from zen_agents.adapters.data_checks import check_data, compare_data
from zen_agents.adapters.data_inference import infer_contract
from zen_agents.datasets.contract import Contract, Repair
from zen_agents.datasets.finding import Outcome
from zen_agents.datasets.job import data_question, diff_question, difference_in, infer_question, report_in
from zen_agents.errors import HostError

psycopg = pytest.importorskip("psycopg")
pytestmark = needs_postgres

#: A session of the server, all of its processes, or the server by itself.
End = Literal["session", "killed", "stopped"]
_AT_WORK = "select pid from pg_stat_activity where usename = 'keeper' and wait_event = 'PgSleep'"
_LONG = 60
_SLOW = (
    f"create view slow as select orders.* from orders, pg_sleep({_LONG})",
    "grant select on slow to keeper",
    f"create or replace function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep({_LONG});"
    " return new; end $$",
)
_SLOW_CHANGES = "create trigger slow before update on orders for each row execute function slowly()"
_ROWS = 4000


@dataclass(slots=True)
class Site:
    """Orders in a server that can be ended, and what works on them."""

    server: MortalServer
    shop: PostgresShop
    here: Changing
    running: ExitStack

    def end(self, how: End) -> None:
        """End it once it is at work for us, and takes its time."""
        ((pid,),) = wait_for(lambda: self.shop.rows(_AT_WORK), "that it is at work")
        match how:
            case "session":
                psutil.Process(pid).kill()
            case "killed":
                self.server.kill()
            case "stopped":
                self.server.stop_at_once()

    def again(self, how: End) -> None:
        """Have it back; it comes by itself where only a session was ended."""
        if how != "session":
            self.running.close()
            self.running.enter_context(self.server.running())
        wait_for(self._answers, "the server")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return bool(self.shop.rows("select 1"))
        return False

    def said(self, how: End, work: Callable[[], str]) -> str:
        """Return what is said of work during which it ended."""
        with ThreadPoolExecutor(1) as beside:
            told = beside.submit(work)
            self.end(how)
            return told.result(_LONG)


@pytest.fixture(scope="module")
def files() -> Iterator[MortalServer]:
    with mortal_postgres() as found:
        yield found


@pytest.fixture
def site(files: MortalServer, tmp_path: Path) -> Iterator[Site]:
    open_to_others(tmp_path)
    with ExitStack() as running:
        running.enter_context(files.running())
        shop = postgres_shop(files, tmp_path)
        shop.run(*_SLOW)
        yield Site(files, shop, changing(tmp_path), running)


def checked(slow: Contract, _: Contract) -> str:
    """Return why a check could not tell."""
    report = report_in(asyncio.run(check_data(data_question(slow, {}, None, NOW))))
    assert report.outcome is Outcome.UNKNOWN
    return report.unknown


def inferred(slow: Contract, _: Contract) -> str:
    """Return why nothing could be proposed."""
    with pytest.raises(HostError) as said:
        asyncio.run(infer_contract(infer_question(slow, 0)))
    return str(said.value)


def compared(slow: Contract, whole: Contract) -> str:
    """Return why nothing could be compared."""
    told = difference_in(asyncio.run(compare_data(diff_question(whole, slow, ("id",)))))
    assert isinstance(told, str) and told.startswith("postgres slow: ")
    return told


@pytest.mark.parametrize(("look", "how"), [(checked, "session"), (inferred, "killed"), (compared, "stopped")])
def test_a_look_says_that_it_went_away(
    site: Site, tmp_path: Path, look: Callable[[Contract, Contract], str], how: End
) -> None:
    orders = of_orders(site.shop, tmp_path)
    slow = replace(orders, source=site.shop.source("slow"))
    assert "the database went away" in site.said(how, lambda: look(slow, orders))


@pytest.mark.parametrize(("verb", "how"), [("repair", "killed"), ("undo", "stopped"), ("undo", "session")])
def test_a_change_leaves_the_rows_as_they_were_and_is_done_once_it_is_back(
    site: Site, tmp_path: Path, verb: Literal["repair", "undo"], how: End
) -> None:
    before = held(site.shop)
    planned = plan(site.here, of_orders(site.shop, tmp_path))
    effect = execute(site.here, planned) if verb == "undo" else None
    was, kept = held(site.shop), site.here.controls.quarantine.files()
    site.shop.run(_SLOW_CHANGES)

    def work() -> str:
        with pytest.raises(HostError) as said:
            undone(site.here, planned, effect) if effect else execute(site.here, planned)
        return str(said.value)

    said = site.said(how, work)
    assert "the database went away" in said and "nothing was changed" in said, said
    assert ("undo it again" in said) == (verb == "undo"), said
    site.again(how)
    assert held(site.shop) == was and site.here.controls.quarantine.files() == kept
    site.shop.run("drop trigger slow on orders")
    undone(site.here, planned, effect or execute(site.here, planned))
    assert held(site.shop) == before


def test_a_server_soon_misses_a_worker_that_was_killed_and_lets_go_of_its_locks(site: Site, tmp_path: Path) -> None:
    planned = plan(site.here, of_orders(site.shop, tmp_path))
    site.shop.run(_SLOW_CHANGES)

    def work() -> None:
        with pytest.raises(HostError, match="nothing was changed"):
            execute(site.here, planned)

    with ThreadPoolExecutor(1) as beside:
        told = beside.submit(work)
        wait_for(lambda: site.shop.rows(_AT_WORK), "that it is at work")
        kill_worker()
        told.result(_LONG)
    # It would be at work for a minute, and rows be locked, if it did not look.
    wait_for(lambda: not site.shop.rows(_AT_WORK), "that it is missed", seconds=_LONG / 2)


@contextmanager
def small(place: Path) -> Iterator[Path]:
    """Mount a small file system for a server."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        shutil.chown(place, "postgres", "postgres")
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(params=["rows", "log"])
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Site, Path]]:
    """Return a server whose rows, or whose log of changes, lie on a small disk, and that disk."""
    open_to_others(tmp_path)
    with ExitStack() as held_open:
        place = held_open.enter_context(small(tmp_path / "small"))
        server = held_open.enter_context(mortal_postgres(place / "log" if request.param == "log" else None))
        running = held_open.enter_context(ExitStack())
        running.enter_context(server.running())
        shop = postgres_shop(server, tmp_path)
        shop.run(
            f"create tablespace small location '{place}'", "alter system set wal_recycle = off", "select pg_reload_conf()",
            f"create table wide (id integer primary key, v text) {'tablespace small' if request.param == 'rows' else ''}",
            f"insert into wide select n, ' ' || repeat(md5(n::text), 20) from generate_series(1, {_ROWS}) as n",
            "grant select, update on wide to keeper", "checkpoint",
        )  # fmt: skip
        yield Site(server, shop, changing(tmp_path), running), place


def bad(shop: PostgresShop) -> int:
    """Return how many rows are as before the repair."""
    ((found,),) = shop.rows("select count(*) from wide where v like ' %'")
    return int(found)


@pytest.mark.skipif(not IS_ROOT, reason="only root can mount a small file system")
def test_a_full_disk_leaves_the_rows_as_they_are_and_each_is_done_once_there_is_room(full: tuple[Site, Path]) -> None:
    site, place = full

    def refused(work: Callable[[], object]) -> str:
        """Fill the disk, see that it cannot be done, and make room; the server is there again after."""
        filler = place / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(place).free - 1_000_000))
        # Without room for its log a server ends, whichever of its processes found that out.
        with pytest.raises(HostError, match=r"(disk of the database is full|went away).*nothing was changed") as said:
            work()
        filler.unlink()
        site.again("killed" if (place / "log").exists() else "session")
        return str(said.value)

    planned = plan(site.here, table_contract(site.shop.source("wide"), Repair(K.TRIM, ("v",)), columns=()))
    refused(lambda: execute(site.here, planned))
    assert bad(site.shop) == _ROWS and site.here.controls.quarantine.files() == ()
    effect = execute(site.here, planned)
    assert bad(site.shop) == 0
    assert "undo it again" in refused(lambda: undone(site.here, planned, effect))
    assert bad(site.shop) == 0
    undone(site.here, planned, effect)
    assert bad(site.shop) == _ROWS
