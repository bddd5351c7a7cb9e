"""A table is put back on a disk that fails: it is as the repair left it or as before, whole, and that can be done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.durability.disk_calls import Fault
from chaos.durability.disk_calls import environment as seen
from tests.support.changing import changing
from tests.support.datasets import open_to_others
from tests.support.repairing_tables import execute, plan, undone
from tests.support.tables import K, SqliteShop, table_contract
from zen_agents.adapters import worker_process
from zen_agents.datasets.contract import Repair
from zen_agents.errors import HostError

_ROWS = 1500


def shop_of(folder: Path, journal: str, key: str) -> SqliteShop:
    """Make a database of rows that are to be repaired."""
    folder.mkdir()
    shop = SqliteShop(folder / "shop.db")
    shop.run(f"pragma journal_mode = {journal}", f"create table wide (id integer {key}, v text)")
    values = ", ".join(f"({at}, ' {'n' * 500}')" for at in range(_ROWS))
    shop.run(f"insert into wide values {values}")
    for each in (folder, *folder.iterdir()):
        each.chmod(0o777)
    return shop


def bad(shop: SqliteShop) -> int:
    """Return how many rows are as before the repair; all have to be, or none, and the file whole."""
    assert shop.rows("pragma integrity_check") == [("ok",)]
    ((found,),) = shop.rows("select count(*) from wide where v like ' %'")
    return int(found)


@pytest.mark.usefixtures("disk_calls")
@pytest.mark.parametrize(
    ("journal", "key", "call", "file"),
    [
        ("delete", "", "create", "shop.db-journal"), ("delete", "primary key", "write", "shop.db-journal"),
        ("delete", "", "sync", "shop.db-journal"), ("delete", "primary key", "write", "shop.db"),
        ("delete", "", "sync", "shop.db"), ("delete", "primary key", "unlink", "shop.db-journal"),
        ("wal", "", "write", "shop.db-wal"), ("wal", "primary key", "sync", "shop.db-wal"),
    ],
)  # fmt: skip
def test_a_disk_that_fails_while_rows_are_put_back_leaves_all_as_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str, key: str, call: str, file: str
) -> None:
    open_to_others(tmp_path)
    here, shop = changing(tmp_path), shop_of(tmp_path / "srv", journal, key)
    planned = plan(here, table_contract(shop.source("wide"), Repair(K.TRIM, ("v",)), columns=()))
    effect = execute(here, planned)
    assert bad(shop) == 0
    (kept,) = here.controls.quarantine.files()
    with monkeypatch.context() as failing:
        fault = seen(tmp_path, fault=Fault(call, str(tmp_path / "srv" / file), "eio"))
        around = worker_process.environment() | fault
        failing.setattr(worker_process, "environment", lambda: around)
        with pytest.raises(HostError, match=r"the kernel's log says more|opened or made") as said:
            undone(here, planned, effect)
    assert "nothing was changed; all that undo takes is kept" in str(said.value)
    assert bad(shop) == 0 and here.controls.quarantine.files() == (kept,)
    assert undone(here, planned, effect).detail.startswith(f"{_ROWS} of {_ROWS} rows")
    assert bad(shop) == _ROWS
