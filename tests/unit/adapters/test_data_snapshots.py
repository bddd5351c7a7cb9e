"""Good copies of data sets: of the very file that was looked at, few, whole, and found again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import Changing, changing
from tests.support.datasets import NOW, contract, open_to_others
from zen_agents.adapters.data_snapshots import Snapshots
from zen_agents.adapters.safe_files import OpenDirectory
from zen_agents.datasets.contract import Contract, Keeping
from zen_agents.datasets.job import data_question, snapshot_question
from zen_agents.datasets.questions import NotNull, Readable
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.errors import HostError
from zen_agents.ports.host_datasets import SnapshotQuestion
from zen_agents.ports.host_files import FileState


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    open_to_others(tmp_path)
    return changing(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "srv" / "a.csv"
    path.parent.mkdir()
    path.write_bytes(b"id\n1\n")
    path.chmod(0o640)
    return path


def asked(here: Changing, path: Path, now: float = NOW, *, of: Contract | None = None, **keep: Any) -> SnapshotQuestion:
    of = of or contract(path, Readable())
    seen = here.host.look().file(str(path))
    assert seen is not None
    question = snapshot_question(of, data_question(of, {}, None, now), seen, now)
    return question._replace(**({"every_seconds": 0.0} | keep))


def kept(here: Changing, path: Path, directory: str = "") -> list[FileState]:
    return [*here.host.look().snapshots("orders", str(path), directory)]


def keep(here: Changing, question: SnapshotQuestion) -> bool:
    return asyncio.run(here.host.look().keep_snapshot(question))


def test_a_copy_lies_in_the_state_with_mode_and_owner_and_the_same_is_not_copied_twice(here: Changing, file: Path) -> None:
    assert keep(here, asked(here, file))
    assert not keep(here, asked(here, file, NOW + 60))
    (copy,) = kept(here, file)
    assert Path(copy.path).read_bytes() == b"id\n1\n" and (copy.mode & 0o777, copy.owner) == (0o640, os.geteuid())
    assert Path(copy.path).is_relative_to(here.state_dir / "snapshots" / "orders")
    assert (here.state_dir / "snapshots").stat().st_mode & 0o077 == 0


def test_few_are_kept_and_the_newest_always(here: Changing, file: Path) -> None:
    def after(seconds: float, size: int, **bounds: Any) -> list[int]:
        file.write_bytes(b"x" * size)
        assert keep(here, asked(here, file, NOW + seconds, **bounds))
        return [each.size for each in kept(here, file)]

    assert after(0, 10) == [10] and after(60, 20) == [20, 10] and after(120, 30) == [30, 20, 10]
    assert after(180, 40, copies=3) == [40, 30, 20]
    assert after(240, 50, most_bytes=95) == [50, 40]
    assert after(9999, 60, age_seconds=60.0) == [60]


def test_none_is_made_sooner_than_it_is_due(here: Changing, file: Path) -> None:
    assert keep(here, asked(here, file))
    file.write_bytes(b"id\n2\n")
    assert not keep(here, asked(here, file, NOW + 3599, every_seconds=3600.0))
    assert keep(here, asked(here, file, NOW + 3600, every_seconds=3600.0))
    file.write_bytes(b"id\n3\n")
    assert keep(here, asked(here, file, NOW - 9999, every_seconds=3600.0))


def test_what_is_written_while_it_is_copied_is_no_copy(here: Changing, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(self: OpenDirectory, source: int, like: FileState, *, sha256: str) -> FileState:
        with file.open("ab") as writer:
            writer.write(b"2\n")
        return staged(self, source, like, sha256=sha256)

    staged = OpenDirectory.stage_from
    monkeypatch.setattr(OpenDirectory, "stage_from", written)
    with pytest.raises(HostError, match="written while it was copied"):
        keep(here, asked(here, file))
    assert [*(here.state_dir / "snapshots" / "orders").iterdir()] == []


def test_what_changed_since_it_was_looked_at_or_is_written_is_not_copied(here: Changing, file: Path) -> None:
    before = asked(here, file)
    with file.open("ab") as writer, pytest.raises(HostError, match="open to write"):
        keep(here, before)
    del writer
    file.write_bytes(b"id\n\n\n")
    with pytest.raises(HostError, match="has changed since"):
        keep(here, before)
    with pytest.raises(HostError, match="larger than"):
        keep(here, asked(here, file, most_bytes=2))
    assert kept(here, file) == []


def test_a_directory_that_is_named_is_not_left_through_a_link_and_others_things_stay(here: Changing, file: Path) -> None:
    folder = file.parent.parent / "good"
    folder.mkdir()
    (folder / "a.csv.20200101T000000Z.good").write_text("not ours")
    question = asked(here, file, directory=str(folder), copies=1)
    assert keep(here, question)
    file.write_bytes(b"id\n2\n")
    assert keep(here, asked(here, file, NOW + 60, directory=str(folder), copies=1))
    assert len(kept(here, file, str(folder))) == 1 and len([*folder.iterdir()]) == 2
    link = file.parent.parent / "link"
    link.symlink_to(folder)
    with pytest.raises(HostError, match="link"):
        keep(here, asked(here, file, NOW + 90, directory=str(link)))


def test_a_copy_that_nobody_finished_is_no_copy(here: Changing, file: Path) -> None:
    snapshots = Snapshots(here.state_dir, "orders", str(file), "")
    folder = here.state_dir / "snapshots" / "orders"
    folder.mkdir(parents=True, mode=0o700)
    (folder / ".zen-agents-0123456789ab-0123456789ab0123456789ab-0").write_bytes(b"half")
    assert snapshots.found() == []


def _database(path: Path, rows: int) -> Contract:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table orders (id integer)")
        connection.executemany("insert into orders values (?)", [(number,) for number in range(rows)])
        connection.commit()
    asks = contract(path, Readable(), NotNull("id"))
    return Contract("orders", Source(SourceKind.SQLITE, str(path), table="orders"), checks=asks.checks, keep=Keeping())


def test_a_database_is_copied_as_one_state_also_while_somebody_writes_it(here: Changing, file: Path) -> None:
    path = file.parent / "a.db"
    of = _database(path, 100)
    path.chmod(0o644)
    path.parent.chmod(0o777)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("begin immediate")
        writer.execute("insert into orders values (null)")
        assert keep(here, asked(here, path, of=of))
        writer.rollback()
    (copy,) = kept(here, path)
    with closing(sqlite3.connect(f"file:{copy.path}?mode=ro&immutable=1", uri=True)) as read:
        assert read.execute("select count(*), count(id) from orders").fetchone() == (100, 100)


def test_a_copy_of_a_database_that_does_not_hold_is_not_kept(here: Changing, file: Path) -> None:
    path = file.parent / "a.db"
    of = _database(path, 3)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("insert into orders values (null)")
        writer.commit()
    with pytest.raises(HostError, match=r"not good: not_null\.id"):
        keep(here, asked(here, path, of=of))
    assert kept(here, path) == []
