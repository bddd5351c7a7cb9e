"""What loops of the engine wait for: a ring, or that the time is over; nothing is lost between two waits."""

from __future__ import annotations

import asyncio

import pytest

from zen_agents.engine.bell import Bell

#: Longer than any test takes.
FOREVER = 3600.0


async def test_a_ring_before_the_wait_is_not_lost_and_stays_until_it_is_cleared() -> None:
    bell = Bell()
    bell.ring()
    for _ in range(2):
        assert await bell.wait(FOREVER) == 0.0
    bell.clear()
    assert not bell.is_rung


async def test_a_ring_ends_the_wait() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(FOREVER))
    await asyncio.sleep(0)
    bell.ring()
    bell.ring()
    assert await waiting == 0.0
    assert bell.is_rung


async def test_the_time_ends_the_wait_without_a_ring_and_tells_how_late_that_was() -> None:
    bell = Bell()
    assert await bell.wait(0.001) >= 0.0
    assert not bell.is_rung


async def test_a_cancellation_that_comes_together_with_a_ring_counts() -> None:
    bell = Bell()
    waiting = asyncio.create_task(bell.wait(FOREVER))
    await asyncio.sleep(0)
    bell.ring()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await bell.wait(FOREVER) == 0.0, "the next one who waits hears the ring"
