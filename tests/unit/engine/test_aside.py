"""Questions asked beside the loop: answers, errors and hangs, none of which takes the engine with it."""

import asyncio
import threading

import pytest

from zen_agents.engine.aside import MOST_HUNG, Aside
from zen_agents.errors import HostError, StalePlanError


async def test_an_answer_comes_back_and_so_does_an_error() -> None:
    aside = Aside()
    assert await aside.ask(lambda: 42, timeout_seconds=30.0) == 42

    def fail() -> None:
        raise StalePlanError("changed")

    with pytest.raises(StalePlanError, match="changed"):
        await aside.ask(fail, timeout_seconds=30.0)
    assert await aside.ask(lambda: threading.current_thread().daemon, timeout_seconds=30.0) is True
    aside.close()


async def test_threads_are_used_again() -> None:
    aside = Aside()
    names = {await aside.ask(threading.get_ident, timeout_seconds=30.0) for _ in range(20)}
    assert len(names) == 1
    aside.close()


async def test_a_hang_is_a_host_error_and_the_loop_goes_on() -> None:
    aside, gate, beats = Aside(), threading.Event(), 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    with pytest.raises(HostError, match="did not answer"):
        await aside.ask(lambda: gate.wait(60), timeout_seconds=0.05)
    heart.cancel()
    assert beats > 1
    assert await aside.ask(lambda: 1, timeout_seconds=30.0) == 1
    gate.set()


async def test_too_many_hangs_are_the_end_of_asking() -> None:
    aside, gate = Aside(), threading.Event()
    for _ in range(MOST_HUNG):
        with pytest.raises(HostError):
            await aside.ask(lambda: gate.wait(60), timeout_seconds=0.01)
    with pytest.raises(HostError, match="earlier questions hang"):
        await aside.ask(lambda: 1, timeout_seconds=30.0)
    gate.set()
