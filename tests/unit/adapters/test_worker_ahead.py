"""A worker ahead of its request answers it, is one at most, and does not stay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from zen_agents.adapters import worker_ahead
from zen_agents.adapters.worker_ahead import WorkerAhead
from zen_agents.adapters.worker_process import WorkerError


class Workers:
    """Stands for processes: notes who was started with a request, who without, and who was ended."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.begins, self.ended = asyncio.Event(), asyncio.Event()
        self.fails = False

    async def run(self, module: str, request: str | Awaitable[str], *, timeout_seconds: float) -> str:
        assert (module, timeout_seconds) == ("a.module", 9.0)
        self.begun.append("ready" if isinstance(request, str) else "ahead")
        self.begins.set()
        if self.fails:
            raise WorkerError("it could not be started")
        try:
            return f"answer to {request if isinstance(request, str) else await request}"
        except asyncio.CancelledError:
            self.ended.set()
            raise


@pytest.fixture
def workers() -> Workers:
    return Workers()


@pytest.fixture
def ahead(workers: Workers) -> WorkerAhead:
    return WorkerAhead(workers.run, "a.module", timeout_seconds=9.0)


async def test_one_that_waits_answers_and_the_next_request_has_its_own(workers: Workers, ahead: WorkerAhead) -> None:
    ahead.start()
    ahead.start()
    await workers.begins.wait()
    assert [await ahead.ask("one"), await ahead.ask("two")] == ["answer to one", "answer to two"]
    assert workers.begun == ["ahead", "ready"]


async def test_one_that_nobody_asks_is_ended(workers: Workers, ahead: WorkerAhead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_ahead, "_WAITS_SECONDS", 0.001)
    ahead.start()
    await workers.begins.wait()
    await asyncio.wait_for(workers.ended.wait(), 60)
    assert await ahead.ask("later") == "answer to later"


async def test_the_time_of_one_ends_no_other(workers: Workers, ahead: WorkerAhead, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, gone_off = asyncio.get_running_loop(), asyncio.Event()
    began, waits = loop.time(), worker_ahead._WAITS_SECONDS
    # By a clock of the test's own: a busy machine's would end either of them.
    monkeypatch.setattr(loop, "time", lambda: began)
    ahead.start()
    await workers.begins.wait()
    assert await ahead.ask("one") == "answer to one"
    monkeypatch.setattr(loop, "time", lambda: began + waits / 2)
    ahead.start()
    loop.call_at(began + waits * 1.25, gone_off.set)
    # Timers go off in the order of their times: the one of the first worker is behind us then.
    monkeypatch.setattr(loop, "time", lambda: began + waits * 1.25)
    await gone_off.wait()
    assert await ahead.ask("two") == "answer to two"
    assert workers.begun == ["ahead", "ahead"] and not workers.ended.is_set()


async def test_it_is_ended_when_it_is_sent_away(workers: Workers, ahead: WorkerAhead) -> None:
    ahead.start()
    await workers.begins.wait()
    ahead.dismiss()
    ahead.dismiss()
    await asyncio.wait_for(workers.ended.wait(), 60)
    assert await ahead.ask("later") == "answer to later"
    assert workers.begun == ["ahead", "ready"]


async def test_one_that_could_not_be_started_is_not_asked(workers: Workers, ahead: WorkerAhead) -> None:
    workers.fails = True
    ahead.start()
    await workers.begins.wait()
    await asyncio.sleep(0)
    workers.fails = False
    assert await ahead.ask("one") == "answer to one"


async def test_who_no_longer_waits_for_the_answer_ends_it(workers: Workers, ahead: WorkerAhead) -> None:
    async def never(_module: str, request: str | Awaitable[str], **_: float) -> str:
        return await workers.run("a.module", asyncio.Future(), timeout_seconds=9.0)

    waiting = WorkerAhead(never, "a.module", timeout_seconds=9.0)
    waiting.start()
    asking = asyncio.create_task(waiting.ask("one"))
    await workers.begins.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert workers.ended.is_set()
