"""The resident engine: what it recovers, notices, shows and waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.rig import Rig
from tests.support.state import an_intent, locked
from zen_agents.engine.engine import Engine
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.recovery import recover
from zen_agents.engine.scheduler import Scheduler
from zen_agents.engine.scopes import scopes
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.principal import Principal
from zen_agents.ports.store import Brake

ALICE = Principal("alice", 1000)


class Around:
    """What an engine needs around it, and what it asked of it."""

    def __init__(self) -> None:
        self.not_applied: dict[str, Any] | None = None
        self.closed = False

    async def deliver_due(self) -> None: ...

    async def ripe(self) -> None:
        await asyncio.Event().wait()

    async def close(self, timeout_seconds: float) -> None:
        self.closed = True

    def undelivered(self) -> Sequence[str]:
        return ["email: nobody took it"]

    def save_time(self) -> None: ...

    def prune(self) -> None: ...

    def accept_state(self) -> None: ...

    async def reload(self) -> Mapping[str, Any]:
        return {}

    def config_facts(self) -> Mapping[str, Any]:
        return {}

    def config_trouble(self) -> Mapping[str, Any] | None:
        return self.not_applied or None

    async def good_tick(self) -> None: ...


def engine_of(rig: Rig, around: Around | None = None) -> Engine:
    """Return the engine that a rig is the inside of."""
    around = around or Around()
    return Engine(
        parts=rig.parts, agents=[rig.running], scheduler=Scheduler(lambda job: None), recorder=rig.recorder,
        by_hand=rig.by_hand, events=rig.host.events, flag=rig.flag, courier=around, upkeep=around,
        pulse=Pulse(rig.store), host_name="host",
    )  # fmt: skip


def stop_flag(rig: Rig, why: str = "drill") -> None:
    rig.flag.set(by="alice", reason=why, at=datetime(2026, 1, 1, tzinfo=UTC))


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)


def engine_messages(rig: Rig) -> list[tuple[str, str]]:
    return [(m.kind.value, m.dedup_key) for m in rig.told.messages if "engine|" in m.dedup_key]


async def test_an_engine_that_cannot_write_what_it_recovers_starts_watching_all_the_same(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.store.reserve(an_intent("act-1", rig.clock.now()), hourly_limit=5)
    engine = engine_of(rig)
    with locked(tmp_path / "state.db"):
        recover(engine)
    assert rig.parts.safe_mode.brake is not None


# -- the emergency stop ---------------------------------------------------------------------------------------------------
async def test_the_stop_is_told_once_also_over_restarts_and_so_is_its_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    for _ in range(3):
        stop_flag(rig)
        engine = engine_of(rig)
        engine.emergency.recall()
        engine.emergency.notice()
        engine.emergency.notice()
        rig.store.commit()
    assert engine_messages(rig) == [("engine", "host/engine|emergency_stop")]
    # Removed by hand while no engine was there.
    rig.flag.clear()
    engine = engine_of(rig)
    engine.emergency.recall()
    engine.emergency.notice()
    assert engine_messages(rig)[1:] == [("resolved", "host/engine|emergency_stop")]


async def test_a_stop_and_its_end_are_written_as_soon_as_the_state_takes_them(tmp_path: Path) -> None:
    """Else the ledger says for ever that the stop is set, and every later act stands against it."""
    rig = Rig(tmp_path)
    engine = engine_of(rig)
    stop_flag(rig)
    engine.emergency.notice()
    rig.store._file.rollback()
    engine.emergency.notice()
    rig.store.commit()
    rig.flag.clear()
    with locked(tmp_path / "state.db"):
        engine.emergency.notice()
    engine.emergency.notice()
    rig.store.commit()
    assert [e.entry.body["set"] for e in rig.store.entries() if e.entry.id == "emergency_stop"] == [True, False]
    assert engine_messages(rig) == [("engine", "host/engine|emergency_stop"), ("resolved", "host/engine|emergency_stop")]


async def test_a_stop_that_stays_as_it_was_asks_the_state_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    engine, asked, get = engine_of(rig), [], rig.store.get
    rig.store.get = lambda name: asked.append(name) or get(name)  # type: ignore[method-assign,func-returns-value]
    for round in range(3):
        engine.emergency.notice()
        assert asked == ["emergency_stop"], f"in round {round}"


async def test_a_resume_that_cannot_be_written_leaves_the_stop_set(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    engine = engine_of(rig)
    stop_flag(rig)
    engine.emergency.notice()
    rig.store.commit()
    with locked(tmp_path / "state.db"), pytest.raises(StoreError):
        engine.emergency.resume(ALICE, "it was a drill")
    assert rig.flag.read() is not None


async def test_lifting_the_stop_decides_anew(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    engine = engine_of(rig)
    stop_flag(rig)
    engine.emergency.notice()
    rig.host.crash("web")
    await rig.run(20)
    assert rig.starts() == 1
    assert engine.emergency.resume(ALICE, "it was a drill")["still"] is None
    await rig.run(20)
    assert rig.starts() == 2
    assert [e.entry.actor for e in rig.store.entries() if e.entry.id == "resume_emergency"] == ["alice"]


# -- what holds it --------------------------------------------------------------------------------------------------------
async def test_the_worst_stands_on_the_first_line(tmp_path: Path) -> None:
    rig, around = Rig(tmp_path), Around()
    engine = engine_of(rig, around)
    assert engine.abnormal() == []
    now = rig.clock.now()
    rig.store.set_brake(Brake("pause", "target:service:web", "deploy", "alice", now, now.steady + 600))
    around.not_applied = {"error": "config.yaml:31:5: unknown key", "seconds_ago": 1.0}
    rig.parts.foreign = "the state is from another machine"
    rig.store.set_brake(Brake("storm", "host", "6 of 9 targets fail at once", "engine", now, now.steady + 600))
    rig.parts.safe_mode.enter("a drill", ALICE)
    stop_flag(rig)
    words = ["EMERGENCY", "SAFE", "OBSERVING", "STORM", "PAUSED", "CONFIG"]
    assert [line.split(" ")[0] for line in engine.abnormal()] == words
    calm = f"{now.after(600).wall.astimezone():%H:%M}"
    assert f"STORM BRAKE until {calm}: 6 of 9 targets fail at once; nothing is repaired." in engine.abnormal()[3]
    assert f"{calm} (target:service:web) by alice" in engine.abnormal()[4]
    assert "config.yaml:31:5" in engine.abnormal()[5]
    engine.request_stop()
    assert engine.abnormal()[0].startswith("ENDING")


async def test_what_holds_it_is_shown_although_brakes_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)
    rig.parts.safe_mode.enter("The disk is full.", ALICE)
    assert "The disk is full. zen-agents safe-mode off" in engine_of(rig).abnormal()[0]
    rig.parts.foreign = "the state is from another machine"

    def damaged() -> Sequence[Brake]:
        raise StoreError("the state is damaged")

    monkeypatch.setattr(rig.store, "brakes", damaged)
    assert engine_of(rig).abnormal() == [
        "OBSERVING ONLY: the state is from another machine",
        "STATE NOT READABLE: nothing will be changed; the state is damaged",
    ]


async def test_a_pause_that_is_over_is_not_shown(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    now = rig.clock.now()
    rig.store.set_brake(Brake("pause", "host", "deploy", "alice", now, now.steady + 60))
    rig.clock.advance(61)
    assert engine_of(rig).abnormal() == []


async def test_a_configuration_that_is_not_applied_is_told_once_after_ten_minutes(tmp_path: Path) -> None:
    rig, around = Rig(tmp_path), Around()
    engine = engine_of(rig, around)
    for seconds_ago in (10.0, 590.0, 610.0, 900.0, 5000.0):
        around.not_applied = {"error": "config.yaml:1:1: no", "seconds_ago": seconds_ago}
        engine._notice_config()
    assert engine_messages(rig) == [("engine", "host/engine|config_not_applied")]


async def test_people_may_call_things_by_what_they_see(tmp_path: Path) -> None:
    names = scopes(engine_of(Rig(tmp_path)))
    assert names["web"] == names["service:web"] == "target:service:web"
    assert names["system_health.web"] == "rule:system_health.web"
    assert names["system_health"] == "agent:system_health"
    assert names["host"] == "host"


# -- the end, and the next beginning --------------------------------------------------------------------------------------
class Holding:
    """Keeps an action running until it is let go."""

    def __init__(self, rig: Rig) -> None:
        self.go = asyncio.Event()
        execute = rig.parts.planning.actions["restart_service"].execute

        async def held(plan: Any, control: Any) -> Any:
            await self.go.wait()
            return await execute(plan, control)

        rig.parts.planning.actions["restart_service"].execute = held  # type: ignore[method-assign]


async def test_the_end_waits_for_a_running_action(tmp_path: Path) -> None:
    rig, around = Rig(tmp_path), Around()
    engine, holding = engine_of(rig, around), Holding(rig)
    rig.host.crash("web")
    await rig.tick.run(everything=True)
    await until(lambda: rig.parts.executor.running == 1)
    ending = asyncio.create_task(engine.stop("drill"))
    await asyncio.sleep(0)
    assert not ending.done()
    holding.go.set()
    await ending
    assert rig.outcomes() == ["verifying"]
    assert (rig.starts(), around.closed) == (2, True)


async def test_a_hurried_end_does_not_wait_and_the_next_engine_verifies(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    engine, _ = engine_of(rig), Holding(rig)
    rig.host.crash("web")
    await rig.tick.run(everything=True)
    await until(lambda: rig.parts.executor.running == 1)
    ending = asyncio.create_task(engine.stop("drill"))
    await asyncio.sleep(0)
    engine.hurry()
    async with asyncio.timeout(20):
        await ending
    for task in rig.parts.executor._running.values():
        task.cancel()
    assert rig.outcomes() == ["running"]
    rig = rig.restart()
    rig.host.start("web")
    await rig.run(60)
    assert rig.outcomes() == ["verified"]


async def test_an_act_by_hand_that_was_cut_short_is_verified_by_the_checks_of_its_target(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.services["web"].hangs = True
    intent, _ = await rig.by_hand.act("restart_service", "web", who=ALICE, reason="x", override=frozenset(), wait=False)
    await until(lambda: rig.outcomes() == ["verifying"])
    # Another engine on the same state: nothing in memory, the row as it was left.
    for task in rig.by_hand._under_way:
        task.cancel()
    rig.store.commit()
    rig.host.services["web"].hangs = False
    other = Rig(tmp_path, host=rig.host)
    recover(engine_of(other))
    await until(lambda: other.store.action(intent.id).kind is OutcomeKind.VERIFIED)  # type: ignore[union-attr]
    assert other.starts() == rig.starts()
    assert [brake.kind for brake in other.store.brakes()] == []


@pytest.mark.parametrize("target", ["service:gone", "service:web"])
async def test_what_nobody_can_verify_is_unknown(tmp_path: Path, target: str) -> None:
    rig = Rig(tmp_path)
    rig.host.crash("web")
    await rig.tick.run(everything=True)
    await rig.parts.executor.drain()
    row = rig.store.unfinished()[0]
    incident = next(iter(rig.parts.book))
    rig.parts.book.drop(incident.key)
    rig.tick.rebuild(type(rig.agent)(rig.host, [], {}, 5.0) if target == "service:gone" else rig.agent)
    recover(engine_of(rig))
    found = rig.store.action(row.id)
    assert found is not None
    assert found.kind is OutcomeKind.UNKNOWN
