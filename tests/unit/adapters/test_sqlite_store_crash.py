"""kill -9, a full disk or an I/O error at every durable seam: nothing half written, nothing acknowledged lost."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Arm
from tests.support.reserving_child import LIMIT
from tests.support.state import START, an_entry, an_intent, an_observation, an_outcome
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_ballast import BALLAST_BYTES, ballast_of
from zen_agents.clock import Instant, ManualClock
from zen_agents.errors import StoreError
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.store.failpoint import FAILPOINTS, VARIABLE

ROOT = Path(__file__).parents[3]
SEAMS = [name for name in FAILPOINTS if name.startswith("store.") and "migrate" not in name]


def run_child(path: Path, *, armed: str = "", start: float = 100.0) -> tuple[int, list[str]]:
    environment = os.environ | ({VARIABLE: armed} if armed else {})
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.reserving_child", str(path), "2", str(start)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("seam", SEAMS)
def test_killed_at_a_seam(seam: str, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    code, said = run_child(path, armed=f"{seam}:kill")
    assert code == -signal.SIGKILL
    assert_whole(path, said)
    # The next start goes on where it was, with the limit of the hour still counted.
    code, said_next = run_child(path, start=200.0)
    assert code == 0
    assert_whole(path, said + said_next)
    store = SqliteStore(path)
    assert store.spent(Budget.REPAIR, 0.0) <= LIMIT
    store.close()


def assert_whole(path: Path, said: list[str]) -> None:
    """Everything the child said is there, and whatever else is there is whole."""
    store = SqliteStore(path)
    actions = {row.id: row for row in store.actions(limit=-1)}
    words = [line.split() for line in said]
    assert {id for word, *ids in words if word == "reserved" for id in ids} <= set(actions)
    for word, *ids in words:
        if word == "finished":
            assert actions[ids[0]].kind is OutcomeKind.VERIFIED
    for id, row in actions.items():
        kinds = [entry.entry.kind.value for entry in store.entries(action=id)]
        assert kinds == (["intent"] if row.kind is OutcomeKind.RUNNING else ["intent", "outcome"])
        lease = store.lease(row.target)
        assert (lease is not None and lease.action == id) == (row.kind is OutcomeKind.RUNNING)
    store.close()
    found = verify(path)
    assert found.ok, found.problem
    assert found.unpaired_intents == tuple(id for id, row in actions.items() if row.kind is OutcomeKind.RUNNING)


@pytest.mark.parametrize("error", ["enospc", "eio"])
@pytest.mark.parametrize("seam", ["store.reserve.before_commit", "store.finish.before_commit", "store.batch.before_commit"])
def test_failed_write_leaves_nothing_and_the_next_one_heals(seam: str, error: str, tmp_path: Path, arm: Arm) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(tmp_path / "state.db")
    store.reserve(an_intent("act-0", clock.now(), target="service:zero"), hourly_limit=5)
    before = store.head()
    arm(f"{seam}:{error}")
    store.put("pending", "lost")
    with pytest.raises(StoreError):
        if "reserve" in seam:
            store.reserve(an_intent("act-1", clock.now()), hourly_limit=5)
        elif "finish" in seam:
            store.finish(an_outcome("act-0", OutcomeKind.VERIFIED, clock.now()))
        else:
            store.commit()
    assert not store.writable()
    assert store.get("pending") is None and store.action("act-1") is None and store.lease("service:web") is None
    assert [row.id for row in store.unfinished()] == ["act-0"] and store.head() == before
    arm(None)
    store.commit()
    assert not store.writable(), "nothing was written yet"
    store.reserve(an_intent("act-1", clock.now()), hourly_limit=5)
    assert store.writable()
    store.close()
    assert verify(tmp_path / "state.db").ok


def test_full_database_at_any_write(tmp_path: Path) -> None:
    """SQLite's own limit stands in for the disk's end; every kind of write meets it and leaves the state whole."""
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    clock = ManualClock(START, 100.0)
    (pages,) = store._file.connection.execute("PRAGMA page_count").fetchone()
    store._file.connection.execute(f"PRAGMA max_page_count = {pages + 6}")
    done, refused = [], 0
    for number in range(200):
        now = clock.advance(1.0)
        id = f"act-{number:03d}"
        try:
            store.append(an_entry(f"dec-{number}", at=now, body={"text": "x" * 400}))
            store.record_observations([an_observation("cpu.percent", now, value=1.0)] * 20)
            store.reserve(an_intent(id, now, target=f"service:{number}"), hourly_limit=1000)
            done.append(id)
        except StoreError as error:
            assert "full" in str(error)
            refused += 1
            assert not store.writable()
    assert done and refused
    assert [row.id for row in store.unfinished()] == done
    store._file.connection.execute("PRAGMA max_page_count = 100000")
    store.reserve(an_intent("act-after", clock.now()), hourly_limit=1000)
    assert store.writable()
    store.close()
    found = verify(path)
    assert found.ok, found.problem
    assert len(found.unpaired_intents) == len(done) + 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True, timeout=30).returncode != 0:
        pytest.skip("this host lets nobody mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=30)


def test_a_disk_that_is_really_full(small_disk: Path) -> None:
    path = small_disk / "state.db"
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    store.prune(metrics_before=0.0, decisions_before=0.0, actions_before=0.0)
    assert ballast_of(path).stat().st_size == BALLAST_BYTES
    fill(small_disk)
    done: list[str] = []
    failed: list[int] = []
    for number in range(2000):
        now = clock.advance(1.0)
        try:
            store.reserve(an_intent(f"act-{number:04d}", now, target=f"service:{number}"), hourly_limit=5000)
            done.append(f"act-{number:04d}")
        except StoreError:
            failed.append(number)
            if not ballast_of(path).exists() and len(failed) > 20:
                break
    # The first failure gave the ballast's room to the state: it could still act for a good while.
    assert not store.writable() and len(done) > 100
    assert failed[1] - failed[0] > 100
    assert [row.id for row in store.unfinished()] == done
    store.close()
    (small_disk / "filler").unlink()
    store = SqliteStore(path)
    assert [row.id for row in store.unfinished()] == done
    store.reserve(an_intent("act-after", clock.now()), hourly_limit=5000)
    assert store.writable()
    store.close()
    assert verify(path).ok


def test_a_start_on_a_full_disk_takes_the_ballast(small_disk: Path) -> None:
    path = small_disk / "state.db"
    store = SqliteStore(path)
    store.prune(metrics_before=0.0, decisions_before=0.0, actions_before=0.0)
    store.put("a", "1")
    store.commit()
    store.close()
    fill(small_disk)
    store = SqliteStore(path)
    assert store.get("a") == "1" and not ballast_of(path).exists()
    store.reserve(an_intent("act-1", Instant(START, 100.0)), hourly_limit=5)
    store.close()


def test_a_first_start_without_room_says_so(small_disk: Path) -> None:
    fill(small_disk)
    with pytest.raises(StoreError, match="The disk is full"):
        SqliteStore(small_disk / "state.db")


def fill(folder: Path) -> None:
    """Fill a file system to the last byte."""
    with (folder / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def test_the_nth_passing_of_a_failpoint(arm: Arm, tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    arm("store.batch.before_commit:eio:2")
    for value in ("1", "2", "3"):
        store.put("a", value)
        if value == "2":
            with pytest.raises(StoreError):
                store.commit()
        else:
            store.commit()
    assert store.get("a") == "3"
    store.close()


def test_time_going_back_frees_no_token(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    store.reserve(an_intent("act-1", Instant(START, 5000.0), target="service:a"), hourly_limit=2)
    # The anchor was lost and the clock set back: the timeline starts before what was reserved.
    assert store.spent(Budget.REPAIR, 100.0 - 3600.0) == 1
    store.close()
