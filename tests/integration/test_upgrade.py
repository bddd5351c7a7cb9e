"""From one release to the next and back, and the end of an engine that still acts."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.acting import members
from tests.support.engine_process import REPOSITORY, EngineProcess, answers, free_port, wait_for, web_config

EngineWith = Callable[[str], EngineProcess]

MIGRATION = '''
"""What a later release might add."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("incidents") as table:
        table.add_column(sa.Column("weather", sa.Text(), nullable=True))
'''


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next release: this one with one more schema revision."""
    place = tmp_path_factory.mktemp("later")
    package = place / "zen_agents"
    shutil.copytree(REPOSITORY / "zen_agents", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "store" / "migrations" / "versions" / "r0004_weather.py").write_text(MIGRATION)
    for name in ("revision.py", "schema.sql"):
        path = package / "store" / name
        path.write_text(path.read_text().replace('"0003"', '"0004"').replace("'0003'", "'0004'"))
    return place


def digests(state: Path) -> dict[str, str]:
    """Return what is in the files of a state."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in state.glob("state.db*")}


def outcomes(engine: EngineProcess) -> list[str]:
    return [action["outcome"] for action in engine.actions()]


def test_the_next_release_goes_on_where_this_one_ended_and_this_one_refuses_its_state(
    engine_with: EngineWith, later: Path
) -> None:
    port = free_port()
    engine = engine_with(web_config(port, limits=", max_auto_repairs_per_hour: 2")).start()
    wait_for(lambda: outcomes(engine) == ["verified"], "the first start")
    service = engine.service_pid()
    assert engine.stop() == 143

    engine.release = later
    engine.start()
    copy = engine.state / "state.db.before-0003"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    wait_for(lambda: engine.status()["last_tick_seconds_ago"] is not None, "its first turn")
    assert (engine.service_pid(), outcomes(engine)) == (service, ["verified"])
    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    wait_for(lambda: outcomes(engine) == ["verified"] * 2, "a repair by the next release")
    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    wait_for(lambda: any(d["reason"] == "rate_limit" for d in engine.decisions()), "the limit that both count for")
    assert engine.cli("audit", "verify").returncode == 0
    assert engine.stop() == 143

    engine.release = REPOSITORY
    before = digests(engine.state)
    refused = engine.start(wait=False)
    assert refused.process is not None
    assert refused.process.wait(60) == 78
    assert str(copy) in engine.log.read_text()
    assert digests(engine.state) == before

    # The way back that the message names: what happened since is gone, so it only watches until somebody has looked.
    for path in engine.state.glob("state.db*"):
        if path != copy:
            path.unlink()
    copy.rename(engine.state / "state.db")
    engine.start()
    assert any("went back" in line for line in engine.status()["abnormal"]), engine.status()["abnormal"]
    wait_for(lambda: any(d["reason"] == "foreign_state" for d in engine.decisions()), "the refusal")
    assert not answers(port)
    assert engine.cli("resume", "--reason", "downgraded on purpose").returncode == 0
    wait_for(lambda: answers(port), "the repair", seconds=120)


def test_an_upgrade_that_is_killed_is_done_by_the_next_start(engine_with: EngineWith, later: Path) -> None:
    port = free_port()
    engine = engine_with(web_config(port)).start()
    wait_for(lambda: outcomes(engine) == ["verified"], "the first start")
    engine.kill()
    engine.release = later
    for seam in ("store.migrate.before_copy", "store.migrate.after_copy", "store.migrate.after_upgrade"):
        engine.start(wait=False, ZEN_AGENTS_FAILPOINT=f"{seam}:kill")
        assert engine.process is not None
        assert engine.process.wait(60) == -signal.SIGKILL
    engine.start()
    wait_for(lambda: engine.status()["last_tick_seconds_ago"] is not None, "its first turn")
    assert outcomes(engine) == ["verified"]
    assert engine.cli("audit", "verify").returncode == 0


# -- the end of an engine that still acts ---------------------------------------------------------------------------------
def slow_to_stop(port: int, seconds: int) -> str:
    """Return a configuration whose service takes some time to be stopped."""
    slow = f' cwd: /usr/share\n          stop: [/bin/sh, -c, "sleep {seconds}; exit 1"]\n'
    config = web_config(port).replace(" cwd: /usr/share\n", slow).replace("timeout: 20s", "timeout: 900s")
    return config.replace("        every: 1s\n", "        every: 1s\n        stop_timeout: 600s\n")


def acting(engine: EngineProcess) -> int:
    """Start the engine and an action by hand; return the running action's group."""
    engine.start()
    wait_for(lambda: outcomes(engine) == ["verified"], "the first start")
    engine.cli("act", "restart_service", "web", "--reason", "deploy", "--yes", "--no-wait")
    record = wait_for(lambda: next(iter((engine.state / "running").glob("act-*")), None), "a running action")
    return int(wait_for(record.read_text).split()[0])


def test_a_running_action_is_let_finish_before_the_engine_ends(engine_with: EngineWith) -> None:
    port = free_port()
    engine = engine_with(slow_to_stop(port, 3))
    group = acting(engine)
    before = engine.service_pid()
    assert engine.process is not None
    engine.process.send_signal(signal.SIGTERM)
    # While it ends it can still be looked at, and says what it waits for.
    wait_for(lambda: "ENDING: waits for 1 running" in engine.cli("status").stdout, "that it says so")
    assert members(group)
    assert engine.process.wait(60) == 143
    assert engine.service_pid() not in (None, before)
    assert not list((engine.state / "running").iterdir())
    # What it began is verified by the next one, not done again.
    engine.start()
    wait_for(lambda: outcomes(engine) == ["verified"] * 2, "the verification")
    assert engine.cli("audit", "verify").returncode == 0


def test_a_second_signal_does_not_wait(engine_with: EngineWith) -> None:
    engine = engine_with(slow_to_stop(free_port(), 600))
    group = acting(engine)
    assert engine.process is not None
    engine.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "ENDING" in engine.cli("status").stdout, "that it waits")
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(30) == 143
    wait_for(lambda: not members(group), "the end of what it left")
    engine.start()
    wait_for(lambda: outcomes(engine)[-1] in ("verified", "failed", "unknown"), "a judgement")


def test_the_emergency_stop_works_while_the_engine_ends(engine_with: EngineWith) -> None:
    engine = engine_with(slow_to_stop(free_port(), 600))
    group = acting(engine)
    assert engine.process is not None
    engine.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "ENDING" in engine.cli("status").stdout, "that it waits")
    done = subprocess.run(
        [REPOSITORY / "scripts" / "stop-agents.sh", "--emergency", "--state-dir", engine.state],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "killed    act-" in done.stdout
    assert engine.process.wait(30) == 143
    assert not members(group)
    engine.start()
    assert "EMERGENCY STOP" in engine.status()["abnormal"][0]
