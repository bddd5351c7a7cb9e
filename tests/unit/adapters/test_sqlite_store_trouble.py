"""A state that is locked, damaged, readable by too many, or opened for looking."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaos.fuzz.small_state import whole_state
from tests.support.state import START, an_entry, an_intent, an_observation
from zen_agents.adapters import sqlite_store_file
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.errors import SchemaTooNewError, StoreError
from zen_agents.store.failpoint import VARIABLE

ROOT = Path(__file__).parents[3]
NOW = Instant(START, 100.0)

HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    store.put("host_name", "web-07")
    for number in range(200):
        store.append(an_entry(f"dec-{number}", body={"text": "x" * 500}))
    store.commit()
    store.close()
    return path


@pytest.fixture
def lock_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    yield holder
    holder.communicate(timeout=30)


def test_locked_by_another_process(path: Path, lock_holder: subprocess.Popen[str]) -> None:
    store = SqliteStore(path)
    for write in (
        lambda: store.put("a", "1"),
        lambda: store.append(an_entry("dec-x")),
        lambda: store.reserve(an_intent("act-1", NOW), hourly_limit=5),
    ):
        with pytest.raises(StoreError, match="Another process holds the state"):
            write()
        assert not store.writable()
    assert store.get("host_name") == "web-07", "reading goes on"
    lock_holder.communicate(timeout=30)
    store.reserve(an_intent("act-1", NOW), hourly_limit=5)
    assert store.writable()
    store.close()
    assert verify(path).ok


def test_another_writer_between_two_batches_keeps_the_chain(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path)
    for number in range(5):
        for store in (one, two):
            store.append(an_entry(f"dec-n{number}"))
            store.commit()
    one.close()
    two.close()
    assert verify(path).entries == 210 and verify(path).ok


@pytest.mark.parametrize("where", ["header", "page", "short"])
def test_damaged_file_says_what_to_do(where: str, path: Path) -> None:
    raw = bytearray(path.read_bytes())
    if where == "header":
        raw[:100] = b"\x5a" * 100
    elif where == "page":
        for page in range(1, len(raw) // 4096):
            raw[page * 4096 : page * 4096 + 64] = b"\xa5" * 64
    else:
        del raw[len(raw) // 2 :]
    path.write_bytes(raw)
    with pytest.raises(StoreError, match="is damaged") as caught:
        SqliteStore(path)
    assert f"mv {path} {path}.damaged" in str(caught.value)


def test_damage_found_while_writing_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As with a state too large to be read in full at each start.
    monkeypatch.setattr(sqlite_store_file, "QUICK_CHECK_UP_TO_BYTES", 0)
    connection = sqlite3.connect(path)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts'").fetchone()
    connection.close()
    store = SqliteStore(path)
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xa5" * 4096)
    with pytest.raises(StoreError, match="is damaged"):
        store.put("a", "1")
    assert not store.writable()
    store.close()


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (name)")
    connection.close()
    before = path.read_bytes()[100:]
    with pytest.raises(StoreError, match="not one of zen-agents"):
        SqliteStore(path)
    assert path.read_bytes()[100:] == before


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702])
def test_a_directory_that_others_may_write_is_refused(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreError, match="chmod go-w"):
        SqliteStore(folder / "state.db")
    folder.chmod(0o700)


def test_a_file_that_others_may_write_is_refused(path: Path) -> None:
    path.chmod(0o666)
    with pytest.raises(StoreError, match="chmod go-w"):
        SqliteStore(path)


def test_links_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError):
        SqliteStore(tmp_path / "link.db")
    os.mkfifo(tmp_path / "pipe.db", 0o600)
    with pytest.raises(StoreError, match="not a regular file"):
        SqliteStore(tmp_path / "pipe.db")
    assert not (tmp_path / "elsewhere.db").exists()


# -- looking only ---------------------------------------------------------------------------------------------------------


def test_looking_beside_a_running_engine(path: Path) -> None:
    engine = SqliteStore(path)
    engine.put("host_name", "web-08")
    view = SqliteStore.open_read_only(path)
    assert view.get("host_name") == "web-07"
    engine.commit()
    assert view.get("host_name") == "web-08"
    for write in (lambda: view.put("a", "1"), lambda: view.reserve(an_intent("act-1", NOW), hourly_limit=1)):
        with pytest.raises(StoreError, match="for reading only"):
            write()
    assert not view.writable()
    view.close()
    engine.close()


def test_looking_after_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.reserving_child", str(path), "2", "100"],
        env=os.environ | {VARIABLE: "store.finish.after_commit:kill:2"},
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    view = SqliteStore.open_read_only(path)
    assert len(view.actions()) == 2 and view.unfinished() == []
    view.close()


def test_looking_after_a_clean_stop_changes_nothing(path: Path) -> None:
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    view = SqliteStore.open_read_only(path)
    assert view.get("host_name") == "web-07" and len(view.entries()) == 200
    view.close()
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()}["state.db"] == before["state.db"]


def test_looking_at_a_newer_schema(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE incidents ADD COLUMN weather TEXT")
    connection.execute("UPDATE alembic_version SET version_num = '0099'")
    connection.commit()
    connection.close()
    view = SqliteStore.open_read_only(path)
    assert view.get("host_name") == "web-07" and list(view.live_incidents()) == []
    view.close()


def test_a_snapshot_takes_writes_and_keeps_them_from_the_state(path: Path) -> None:
    engine = SqliteStore(path)
    copy = SqliteStore.snapshot(path)
    copy.put("host_name", "rehearsed")
    copy.reserve(an_intent("act-1", NOW), hourly_limit=1)
    copy.prune(metrics_before=0.0, decisions_before=1e6, actions_before=0.0)
    assert copy.writable() and copy.get("host_name") == "rehearsed" and copy.lease("service:web") is not None
    copy.close()
    assert engine.get("host_name") == "web-07" and engine.lease("service:web") is None and len(engine.entries()) == 200
    engine.close()
    assert {file.name for file in path.parent.iterdir()} == {"state.db"}


def test_a_snapshot_of_nothing_is_empty(tmp_path: Path) -> None:
    copy = SqliteStore.snapshot(tmp_path / "state.db")
    copy.append(an_entry("dec-1"))
    copy.commit()
    assert len(copy.entries()) == 1 and list(tmp_path.iterdir()) == []
    copy.close()


@pytest.mark.parametrize(("found", "error"), [("0099", SchemaTooNewError), ("0000", StoreError)])
def test_a_snapshot_of_another_schema_is_refused(found: str, error: type[Exception], path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = ?", (found,))
    connection.commit()
    connection.close()
    with pytest.raises(error, match=found):
        SqliteStore.snapshot(path)


def test_looking_where_there_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no state"):
        SqliteStore.open_read_only(tmp_path / "state.db")
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_do_not_fit_are_a_store_error(path: Path) -> None:
    store = SqliteStore(path)
    store.record_observations([an_observation("cpu.percent", NOW, value=float("nan"))])
    with pytest.raises(StoreError):
        store._file.write("take_lease", {"target": "x", "action": "y", "until": 2**80})
    assert not store.writable()
    store.close()


@pytest.mark.parametrize(
    ("change", "question"),
    [
        ("UPDATE ledger SET kind = 'odd' WHERE seq = 3", lambda store: store.entries()),
        ("UPDATE ledger SET body = '[' WHERE seq = 3", lambda store: store.entries()),
        (
            "UPDATE ledger SET wall_us = 9223372036854775807 WHERE seq = (SELECT max(seq) FROM ledger)",
            lambda store: store.entries(newest_first=True),
        ),
        ("UPDATE ledger SET hash = 'text' WHERE seq = (SELECT max(seq) FROM ledger)", lambda store: store.head()),
        ("UPDATE facts SET value = 'not json' WHERE name = 'anchor'", lambda store: store.anchor()),
        ("UPDATE incidents SET severity = 'odd'", lambda store: store.live_incidents()),
        ("UPDATE incidents SET opened_at = 1.0, opened_wall = 1e300", lambda store: store.live_incidents()),
        ("UPDATE actions SET plan = '['", lambda store: store.unfinished()),
        ("UPDATE leases SET until = 'x'", lambda store: store.lease("service:web")),
        ("UPDATE breakers SET failed_at = 5", lambda store: store.breakers()),
        ("UPDATE brakes SET since_wall = 1e300", lambda store: store.brakes()),
        ("UPDATE agents SET state = 'odd'", lambda store: store.agent_state("system_health")),
        ("UPDATE outbox SET message = '{}'", lambda store: store.due_messages(1e9)),
        ("UPDATE observations SET status = 7", lambda store: store.observations("load1", "host", since=0.0)),
    ],
)
def test_a_row_that_no_engine_wrote_is_damage_and_says_what_to_do(
    tmp_path: Path, change: str, question: Callable[[SqliteStore], object]
) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(whole_state())
    path.chmod(0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER ledger_keeps_entries")
    connection.execute("DROP TRIGGER ledger_drops_only_bodies")
    assert connection.execute(change).rowcount >= 1
    connection.close()
    store = SqliteStore.open_read_only(path)
    with pytest.raises(StoreError, match=r"is damaged .* restore a backup"):
        question(store)
    store.close()
