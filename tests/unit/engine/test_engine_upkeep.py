"""The engine's own periodic work: what fails once is tried again, for the alerts go out through it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import until
from tests.support.state import an_intent, an_outcome
from zen_agents.adapters.audit_key import KEY, PUBLIC_KEYS, PublicKeys
from zen_agents.adapters.host_state import HEAD
from zen_agents.adapters.ledger_audit import verify
from zen_agents.engine import engine as engine_module
from zen_agents.engine.engine import Engine
from zen_agents.errors import SettingsError
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.runtime.runtime import Runtime
from zen_agents.wiring.machine import Machine
from zen_agents.wiring.options import Options

CONFIG = "agents: {system_health: {enabled: true}}\n"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    config.chmod(0o600)
    runtime = Runtime.load(Options([config], tmp_path / "state"))
    yield runtime
    if hasattr(runtime, "store"):
        runtime.store.close()
        runtime.state.release()


async def rounds(engine: Engine, count: int) -> asyncio.Task[None]:
    """Let the periodic work go round so often, and return its task."""
    seen, enough = 0, asyncio.Event()

    async def deliver_due() -> None:
        nonlocal seen
        seen += 1
        if seen >= count:
            enough.set()

    engine._courier.deliver_due = deliver_due  # type: ignore[method-assign]
    task = asyncio.create_task(engine._keep_house())
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait((task, waiting), timeout=30, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return task


async def test_a_locked_state_does_not_end_the_delivery_of_messages(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "HOUSEKEEPING_EVERY", 0.01)
    engine = runtime.open()
    holder = sqlite3.connect(runtime.options.state_dir / "state.db", isolation_level=None)
    engine.parts.store.commit()
    holder.execute("BEGIN IMMEDIATE")
    task = await rounds(engine, 3)
    assert not task.done()
    assert engine.parts.safe_mode.brake is not None
    holder.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_question_is_sent_without_waiting_for_the_next_round(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "HOUSEKEEPING_EVERY", 3600.0)
    runtime.options.config[0].write_text(CONFIG + "alerts: {email: {to: [ops@example.com]}}\n", encoding="utf-8")
    asked, requests = asyncio.Event(), []

    async def worker(module: str, request: str | Awaitable[str], **_: Any) -> str:
        requests.append(request if isinstance(request, str) else await request)
        asked.set()
        return "{}"

    machine = Machine()
    machine.worker = worker  # type: ignore[method-assign,assignment]
    runtime = Runtime.load(runtime.options, machine)
    engine = runtime.open()
    await runtime.start()
    await until(lambda: engine.last_tick_age(runtime.clock.now()) is not None)
    engine.parts.escalation.engine("safe_mode", "tried", runtime.clock.now())
    await asyncio.wait_for(asked.wait(), 30)
    await runtime.close("SIGTERM")
    assert "tried" in requests[0]


async def test_the_ledgers_head_is_kept_only_when_it_is_durable(runtime: Runtime) -> None:
    engine = runtime.open()
    engine.parts.journal.engine(engine.parts.clock.now(), "started")
    runtime.upkeep.save_time()
    kept = int((runtime.options.state_dir / HEAD).read_text(encoding="ascii").split()[0])
    other = sqlite3.connect(runtime.options.state_dir / "state.db")
    (durable,) = other.execute("SELECT max(seq) FROM ledger").fetchone()
    other.close()
    assert kept == durable, "a kill now would look as if a copy had been restored"


async def test_an_engine_signs_and_says_what_it_signed_last(runtime: Runtime) -> None:
    runtime.open()
    signed = runtime.store.last_checkpoint()
    assert signed is not None and runtime.engine.standing_warnings == runtime.warnings()
    await runtime.start()
    await runtime.close("SIGTERM")
    found = verify(runtime.options.state_dir / "state.db", keys=PublicKeys.read(runtime.options.state_dir / PUBLIC_KEYS))
    assert found.ok and found.signed_by == (signed.key,) and found.signed_to == found.entries - 1


async def test_a_key_that_others_can_read_signs_nothing_and_is_told(runtime: Runtime) -> None:
    state = runtime.options.state_dir
    state.mkdir(mode=0o700)
    (state / KEY).write_bytes(bytes(32))
    (state / KEY).chmod(0o644)
    engine = runtime.open()
    assert "audit.key has mode 0644" in engine.standing_warnings[0]
    assert runtime.store.last_checkpoint() is None and not (state / PUBLIC_KEYS).exists()


async def test_a_short_retention_frees_no_limit(runtime: Runtime) -> None:
    runtime.options.config[0].write_text(CONFIG + "retention: {actions: 1s}\n", encoding="utf-8")
    runtime = Runtime.load(runtime.options)
    runtime.open()
    now = runtime.clock.now()
    runtime.store.reserve(an_intent("act-1", now.after(-1800.0)), hourly_limit=5)
    runtime.store.finish(an_outcome("act-1", OutcomeKind.VERIFIED, now.after(-1790.0)))
    runtime.upkeep.prune()
    assert runtime.store.spent(Budget.REPAIR, now.steady - 3600.0) == 1
    runtime.store.close()
    runtime.state.release()


async def test_that_the_configuration_is_applied_again_is_told(runtime: Runtime) -> None:
    engine, told = runtime.open(), []
    engine.parts.escalation._notifier = type("Told", (), {"tell": lambda _, message: told.append(message)})()
    runtime.configuration.not_applied = ("line 3", engine.parts.clock.now().steady - 700)
    engine._notice_config()
    runtime.configuration.not_applied = None
    engine._notice_config()
    engine._notice_config()
    assert [message.kind.value for message in told] == ["engine", "resolved"]
    assert len({message.dedup_key for message in told}) == 1
    assert json.dumps(told[1].summary)


async def test_line_1_names_the_error_of_a_file_that_was_not_applied_not_a_warning_above_it(runtime: Runtime) -> None:
    engine = runtime.open()
    (runtime.options.config[0]).write_text("agents: {}\nagentz: {}\n", encoding="utf-8")
    with pytest.raises(SettingsError):
        await runtime.upkeep.reload()
    (line,) = [line for line in engine.abnormal() if "CONFIG NOT APPLIED" in line]
    assert "config.yaml:2:1: error[ZC101] unknown key `agentz`" in line
