"""A start on a state that is locked or damaged: the engine comes up in safe mode, watches and tells (R14)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.engine_here import Apart
from tests.support.state import locked
from zen_agents.adapters import sqlite_store_file
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.jobs.alert_delivery import Delivered, DeliveryOutcome, DeliveryReply, DeliveryRequest
from zen_agents.runtime.runtime import Runtime
from zen_agents.wiring.options import Options

#: Lists a directory that is not there.
CONFIG = """
agents:
  system_health:
    enabled: true
    paths: {{spool: {{path: {missing}, kind: directory, mode: '0755', owner: root, group: root}}}}
alerts: {{email: {{to: [ops@example.org]}}}}
"""


class Told(Apart):
    """This machine, with people who take every message at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.mails: list[str] = []

    async def worker(self, module: str, request: str, *, timeout_seconds: float) -> str:
        items = DeliveryRequest.from_json(request).items
        self.mails += [str(item) for item in items]
        return DeliveryReply(tuple(Delivered(item.ref, DeliveryOutcome.OK) for item in items)).to_json()


async def one_life(folder: Path) -> tuple[list[str], list[str]]:
    """Start an engine there, let it look, and end it; return what held it, and what it saw and told."""
    (folder / "config.yaml").write_text(CONFIG.format(missing=folder / "missing"), encoding="utf-8")
    (folder / "config.yaml").chmod(0o600)
    machine = Told(folder)
    runtime = Runtime.load(Options([folder / "config.yaml"], folder / "state"), machine)
    engine = runtime.open()
    try:
        await runtime.start()
        for agent in engine.agents:
            await agent.turn(everything=True)
        abnormal, seen = engine.abnormal(), [incident.rule for incident in engine.parts.book]
    finally:
        await runtime.close("the test is over")
    return abnormal, [*machine.mails, *seen]


async def comes_up_watching_and_telling(folder: Path) -> list[str]:
    """Return what holds an engine that starts there; it has to be in safe mode, to say so and to see what is missing."""
    abnormal, seen = await one_life(folder)
    assert any("SAFE MODE" in line for line in abnormal), abnormal
    assert any("safe mode" in mail for mail in seen), seen
    assert "system_health.spool" in seen
    return abnormal


async def test_an_engine_starts_on_its_own_state_while_that_is_locked(tmp_path: Path) -> None:
    await one_life(tmp_path)
    with locked(tmp_path / "state" / "state.db"):
        abnormal = await comes_up_watching_and_telling(tmp_path)
    assert "Another process holds the state" in abnormal[0]
    assert not any("OBSERVING" in line for line in abnormal)


async def test_a_new_state_that_cannot_be_taken_as_this_hosts_own_is_only_observed_on(tmp_path: Path) -> None:
    state = tmp_path / "state" / "state.db"
    state.parent.mkdir(mode=0o700)
    SqliteStore(state).close()
    with locked(state):
        abnormal = await comes_up_watching_and_telling(tmp_path)
    assert any("cannot be told or noted" in line for line in abnormal), abnormal


def damage(state: Path, table: str) -> None:
    """Put other bytes in the place of a table's first page."""
    connection = sqlite3.connect(state)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with state.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


@pytest.mark.parametrize("table", ["facts", "ledger", "incidents", "brakes", "agents", "outbox"])
async def test_an_engine_starts_although_a_table_of_its_state_is_damaged(
    tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_life(tmp_path)
    # As with a state that is too large to be read in full at each start.
    monkeypatch.setattr(sqlite_store_file, "QUICK_CHECK_UP_TO_BYTES", 0)
    damage(tmp_path / "state" / "state.db", table)
    abnormal = await comes_up_watching_and_telling(tmp_path)
    assert "damaged" in abnormal[0]
    assert "restore a backup" in abnormal[0]
