"""What the engine does every few seconds comes with the turn of an agent, where there is one about then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.engine.bell import Bell
from zen_agents.engine.pulse import Pulse


async def resting(pulse: Pulse, seconds: float) -> asyncio.Task[None]:
    task = asyncio.create_task(pulse.sleep(seconds))
    await asyncio.sleep(0)
    return task


@pytest.fixture
def pulse(tmp_path: Path) -> Pulse:
    return Pulse(Rig(tmp_path).store)


async def test_a_turn_long_before_the_time_wakes_nobody(pulse: Pulse) -> None:
    task = await resting(pulse, 3600.0)
    pulse.turn_taken()
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()


async def test_a_turn_when_most_of_the_time_is_over_ends_the_sleep(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    task, now = await resting(pulse, 3600.0), loop.time()
    monkeypatch.setattr(loop, "time", lambda: now + 2880.0)
    pulse.turn_taken()
    monkeypatch.undo()
    await asyncio.wait((task,), timeout=30)
    assert task.done()


async def test_without_a_turn_the_sleep_ends_by_itself(pulse: Pulse) -> None:
    task = await resting(pulse, 0.01)
    await asyncio.wait((task,), timeout=30)
    assert task.done()


async def test_how_late_the_loop_is_is_told_by_whoever_waits_for_the_time(pulse: Pulse) -> None:
    waiting = asyncio.create_task(pulse.wait(Bell(), 0.01))
    await asyncio.sleep(0)
    loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    while loop.time() < began + 0.06:
        pass
    await waiting
    assert pulse.loop_lag_seconds() >= 0.04
