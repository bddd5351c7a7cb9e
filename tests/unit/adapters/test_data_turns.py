"""A look at data that takes a moment does not wait for one that takes minutes, and there are never more than two."""

from __future__ import annotations

import asyncio

import pytest

from zen_agents.adapters.data_turns import SMALL_BYTES, DataTurns


class Work:
    """Something that takes until it is let go on."""

    def __init__(self, turns: DataTurns, name: str, size: int | None = None) -> None:
        self._turns, self._name, self._size, self.go_on, self.begun = turns, name, size, asyncio.Event(), False
        self.task = asyncio.create_task(self._do())

    async def _do(self) -> None:
        async with self._turns.turn(self._name, lambda: self._size):
            self.begun = True
            await self.go_on.wait()


async def begun(*works: Work) -> list[bool]:
    for _ in range(5):
        await asyncio.sleep(0)
    return [work.begun for work in works]


async def done(turns: DataTurns, name: str) -> None:
    work = Work(turns, name)
    work.go_on.set()
    await work.task


@pytest.mark.parametrize(("quick_seconds", "passes"), [(60.0, True), (0.0, False)])
async def test_what_was_quick_passes_what_takes_long(quick_seconds: float, passes: bool) -> None:
    turns = DataTurns(quick_seconds)
    await done(turns, "small")
    large, small, new = Work(turns, "large"), Work(turns, "small"), Work(turns, "new")
    assert await begun(large, small, new) == [True, passes, False]
    for work in (large, small, new):
        work.go_on.set()
        await work.task


async def test_what_is_small_passes_what_takes_long_until_it_is_known_how_long_it_takes() -> None:
    turns = DataTurns(0.0)
    large, small, another = (Work(turns, f"{size}", size) for size in (SMALL_BYTES + 1, SMALL_BYTES, 0))
    assert await begun(large, small, another) == [True, True, False]
    small.go_on.set()
    assert await begun(another) == [True]
    again = Work(turns, f"{SMALL_BYTES}", SMALL_BYTES)
    another.go_on.set()
    assert await begun(another, again) == [True, False]
    for work in (large, again):
        work.go_on.set()
        await work.task


async def test_what_was_broken_off_may_take_long() -> None:
    turns = DataTurns(60.0)
    await done(turns, "small")
    cut_off = Work(turns, "small", 1)
    assert await begun(cut_off) == [True]
    cut_off.task.cancel()
    large = Work(turns, "large")
    small = Work(turns, "small", 1)
    assert await begun(large, small) == [True, False]
    large.go_on.set()
    assert await begun(small) == [True]
    small.task.cancel()
