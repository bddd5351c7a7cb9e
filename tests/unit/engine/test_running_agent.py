"""The life of one agent: it starts, pauses, resumes, fails and stops, and that is remembered over restarts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.engine import running_agent
from zen_agents.engine.pulse import Pulse
from zen_agents.engine.running_agent import RunningAgent
from zen_agents.model.agent import AgentState


async def broken(**_: bool) -> None:
    """Take the place of something that works."""
    raise RuntimeError("a fault of its own")


def fresh(rig: Rig, failed: list[str] | None = None) -> RunningAgent:
    """Return the rig's agent as it is before its start."""
    told = failed if failed is not None else []
    return RunningAgent(
        rig.tick, store=rig.store, journal=rig.parts.journal, clock=rig.clock, pulse=Pulse(rig.store),
        failed=lambda name, why: told.append(why),
    )  # fmt: skip


async def test_it_takes_its_first_turn_at_once_and_ends_when_asked(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    agent = fresh(rig)
    await agent.start()
    assert agent.state is AgentState.RUNNING
    async with asyncio.timeout(20):
        while not rig.recorder.ticks.get(agent.name):  # noqa: ASYNC110 - the turn has no event of its own
            await asyncio.sleep(0)
    await agent.stop("the end")
    assert agent.state is AgentState.STOPPED
    assert rig.store.agent_state(agent.name) is AgentState.STOPPED


async def test_a_stop_that_comes_together_with_a_wake_is_not_lost(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    agent = fresh(rig)
    await agent.start()
    for _ in range(50):
        await asyncio.sleep(0)
    agent.wake()
    async with asyncio.timeout(60):
        await agent.stop("both at once")
    assert agent.state is AgentState.STOPPED


async def test_events_are_seen_at_once_also_during_a_turn_and_only_what_goes_on_and_on_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_agent, "SHORTEST_TURN", 3600.0)
    rig = Rig(tmp_path)
    agent = fresh(rig)
    turns = 0
    taken = asyncio.Event()

    async def turn(*, everything: bool, act: bool) -> None:
        nonlocal turns
        turns += 1
        rig.tick.watchlist.take_due(rig.clock.now().steady, everything=everything or act)
        agent.wake("")
        if turns == running_agent.BURST + 1:
            taken.set()

    monkeypatch.setattr(rig.tick, "run", turn)
    await agent.start()
    async with asyncio.timeout(20):
        await taken.wait()
    for _ in range(50):
        await asyncio.sleep(0)
    assert turns == running_agent.BURST + 1, "a whole burst follows the first look at once, and then nothing"
    await agent.stop("the end")


async def test_a_pause_outlives_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    agent = fresh(rig)
    await agent.start(take_turns=False)
    await agent.pause("deploy")
    rig.host.crash("web")
    await agent.turn()
    assert rig.outcomes() == []
    await agent.stop("restart")

    again = fresh(rig)
    await again.start(take_turns=False)
    assert again.state is AgentState.PAUSED
    await again.resume("done")
    await again.turn()
    await rig.parts.executor.drain()
    assert rig.starts() == 2


async def test_a_revoked_agent_is_not_started(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.store.save_agent_state("system_health", AgentState.REVOKED, "by a person", rig.clock.now())
    agent = fresh(rig)
    await agent.start()
    assert agent.state is AgentState.REVOKED
    await agent.stop("the end")
    assert agent.state is AgentState.REVOKED


async def test_an_agent_that_cannot_start_is_failed_and_told(tmp_path: Path) -> None:
    rig, told = Rig(tmp_path), list[str]()
    rig.agent.start = broken  # type: ignore[method-assign]
    agent = fresh(rig, told)
    await agent.start()
    assert agent.state is AgentState.FAILED
    assert told == ["it could not start: a fault of its own"]
    await agent.stop("the end")


async def test_turns_that_keep_failing_end_the_agent_not_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_agent, "AFTER_A_FAULT", 0.0)
    rig, told = Rig(tmp_path), list[str]()
    agent = fresh(rig, told)
    await agent.start(take_turns=False)
    monkeypatch.setattr(rig.tick, "run", broken)
    for _ in range(running_agent.FAULTS_IN_A_ROW - 1):
        await agent.turn()
    assert agent.state is AgentState.RUNNING
    with pytest.raises(RuntimeError):
        await agent.turn()
    assert agent.state is AgentState.FAILED
    assert "a fault of its own" in told[0]


async def test_one_good_turn_forgives_the_faults_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_agent, "AFTER_A_FAULT", 0.0)
    rig = Rig(tmp_path)
    agent = fresh(rig)
    await agent.start(take_turns=False)
    whole = rig.tick.run

    for _ in range(2 * running_agent.FAULTS_IN_A_ROW):
        monkeypatch.setattr(rig.tick, "run", broken)
        await agent.turn()
        monkeypatch.setattr(rig.tick, "run", whole)
        await agent.turn()
    assert agent.state is AgentState.RUNNING


async def test_only_what_is_watched_wakes_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    agent = fresh(rig)
    await agent.turn()
    due = rig.tick.watchlist.next_due
    agent.wake("process:1:1")
    assert rig.tick.watchlist.next_due == due
    agent.wake("")
    assert rig.tick.watchlist.next_due <= rig.clock.now().steady
