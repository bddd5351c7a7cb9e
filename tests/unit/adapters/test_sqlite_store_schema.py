"""An old state is copied and migrated, a newer one refused, and a kill leaves one of the two."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Arm
from tests.support.state import an_entry
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_file import open_writable
from zen_agents.adapters.sqlite_store_schema import ensure_schema, revision
from zen_agents.errors import SchemaTooNewError, StoreError
from zen_agents.store import migrations
from zen_agents.store.failpoint import FAILPOINTS, VARIABLE
from zen_agents.store.revision import SCHEMA_REVISION
from zen_agents.workers.migrate import upgrade

ROOT = Path(__file__).parents[3]
VERSIONS = Path(migrations.__file__).parent / "versions"

NEXT = """
import sqlalchemy as sa
from alembic import op
revision = "0004"
down_revision = "0003"
def upgrade() -> None:
    with op.batch_alter_table("facts") as table:
        table.add_column(sa.Column("weather", sa.Text()))
    {more}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state whose last writes are still in the log: its engine was killed."""
    path = tmp_path / "state" / "state.db"
    store = SqliteStore(path)
    store.put("host_name", "web-07")
    store.append(an_entry("dec-1"))
    store.commit()
    for name in ("state.db", "state.db-wal"):
        shutil.copy(path.parent / name, tmp_path / name)
    store.close()
    for name in ("state.db", "state.db-wal"):
        shutil.move(tmp_path / name, path.parent / name)
    return path


def next_version(tmp_path: Path, more: str = "") -> Path:
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "r0004_weather.py").write_text(NEXT.format(more=more or "pass"))
    return folder


def test_old_state_is_copied_then_migrated(path: Path, tmp_path: Path) -> None:
    folder = next_version(tmp_path)
    file = open_writable(path)
    ensure_schema(file, newest="0004", migrate=lambda state: _upgraded(state, folder))
    assert revision(file) == "0004"
    file.connection.execute("SELECT name, value, weather FROM facts")
    file.close()
    copy = path.with_name("state.db.before-0003")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == ["state.db", "state.db.before-0003"]

    with pytest.raises(SchemaTooNewError, match=str(copy)) as caught:
        SqliteStore(path)
    assert caught.value.exit_code == 78
    # What the message says to do works.
    copy.replace(path)
    store = SqliteStore(path)
    assert store.get("host_name") == "web-07"
    store.close()
    assert verify(path).ok


def test_the_first_schema_is_migrated_with_all_that_was_in_it(tmp_path: Path) -> None:
    """The real worker in its own process: an action under way, a brake and the ledger survive the new tables."""
    first = tmp_path / "versions"
    first.mkdir()
    shutil.copy(VERSIONS / "r0001_first.py", first)
    path = tmp_path / "state.db"
    assert upgrade(path, versions=(first,)) == (None, "0001")
    path.chmod(0o600)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO facts VALUES ('host_name', 'web-07')")
    connection.execute("INSERT INTO brakes VALUES ('pause', 'host', 'by hand', 'alice', 1.0, 2.0, 99.0)")
    connection.commit()
    connection.close()
    store = SqliteStore(path)
    assert (store.get("host_name"), [brake.by for brake in store.brakes()]) == ("web-07", ["alice"])
    assert store.open_approvals() == []
    store.close()
    assert path.with_name("state.db.before-0001").exists()


def test_newer_state_without_a_copy(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '0099'")
    connection.commit()
    connection.close()
    with pytest.raises(SchemaTooNewError, match="no copy"):
        SqliteStore(path)
    view = SqliteStore.open_read_only(path)
    assert view.get("host_name") == "web-07"
    view.close()


def test_a_migration_that_fails_half_way_changes_nothing(path: Path, tmp_path: Path) -> None:
    folder = next_version(tmp_path, more='op.execute("INSERT INTO no_such_table VALUES (1)")')
    file = open_writable(path)
    before = _schema(file.connection)
    with pytest.raises(Exception, match="no_such_table"):
        ensure_schema(file, newest="0004", migrate=lambda state: _upgraded(state, folder))
    assert revision(file) == "0003" and _schema(file.connection) == before
    file.close()
    SqliteStore(path).close()


def test_a_state_whose_revision_nobody_knows_is_kept(path: Path) -> None:
    """The real worker in its own process: it fails, says why, and the state and its copy are there."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="the migration failed, nothing was changed"):
        SqliteStore(path)
    assert path.with_name("state.db.before-0000").exists()
    view = SqliteStore.open_read_only(path)
    assert view.get("host_name") == "web-07"
    view.close()


def test_the_worker_answers_in_json(tmp_path: Path, path: Path) -> None:
    for arguments, code, expected in (
        ([str(path)], 0, {"ok": True, "before": SCHEMA_REVISION, "after": SCHEMA_REVISION}),
        ([str(tmp_path / "new.db")], 0, {"ok": True, "before": None, "after": SCHEMA_REVISION}),
        ([str(tmp_path / "no" / "where.db")], 1, None),
        ([], 1, None),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "zen_agents.workers.migrate", *arguments],
            capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
        )  # fmt: skip
        reply = json.loads(done.stdout)
        assert done.returncode == code and reply["ok"] is (code == 0)
        assert expected is None or reply == expected


CHILD = """
import sys
from pathlib import Path
from zen_agents.adapters.sqlite_store_file import open_writable
from zen_agents.adapters.sqlite_store_schema import ensure_schema
from zen_agents.workers.migrate import upgrade
from zen_agents.workers import migrate
folder = Path(sys.argv[2])
versions = (Path(migrate._MIGRATIONS) / "versions", folder)
ensure_schema(open_writable(Path(sys.argv[1])), newest="0004", migrate=lambda state: upgrade(state, versions=versions))
"""


@pytest.mark.parametrize("seam", [name for name in FAILPOINTS if name.startswith("store.migrate.")])
def test_killed_while_migrating(seam: str, path: Path, tmp_path: Path) -> None:
    folder = next_version(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), str(folder)],
        env=os.environ | {VARIABLE: f"{seam}:kill"}, timeout=60, check=False, cwd=ROOT, capture_output=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    file = open_writable(path)
    assert revision(file) == ("0004" if seam.endswith("after_upgrade") else "0003")
    ensure_schema(file, newest="0004", migrate=lambda state: _upgraded(state, folder))
    assert revision(file) == "0004"
    assert file.read_one("get_fact", {"name": "host_name"}) == ("web-07",)
    file.close()
    assert path.with_name("state.db.before-0003").exists()


def test_no_room_for_the_copy_means_no_migration(path: Path, arm: Arm) -> None:
    arm("store.migrate.before_copy:enospc")
    file = open_writable(path)
    with pytest.raises(StoreError, match="The disk is full"):
        ensure_schema(file, newest="0004", migrate=lambda state: pytest.fail(f"{state} was migrated without a copy"))
    assert revision(file) == "0003"
    file.close()


def _upgraded(path: Path, folder: Path) -> None:
    upgrade(path, versions=(VERSIONS, folder))


def _schema(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
