"""A worker that stays answers the next request too, is one at most, and does not stay for long: with real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_process import wait_for
from zen_agents.adapters import worker_kept
from zen_agents.adapters.worker_kept import KeptWorker
from zen_agents.adapters.worker_process import WorkerError
from zen_agents.jobs.certificate_look import WORKER, LookRequest
from zen_agents.model.certificate import CertificateQuestion


def request(name: str) -> str:
    return LookRequest(CertificateQuestion(file=f"/nonexistent/{name}"), 5.0).to_json()


def children() -> set[int]:
    """Return the pids of this process's children, with those that have ended and were not waited for."""
    found = set[int]()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has just ended
            found.update(map(int, (task / "children").read_text().split()))
    return found


def workers() -> set[int]:
    """Return the pids of those that are workers of this kind."""
    found = set[int]()
    for pid in children():
        with contextlib.suppress(OSError):  # it has just ended
            if WORKER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.add(pid)
    return found


async def none_is_left() -> None:
    await asyncio.to_thread(wait_for, lambda: not workers())


@pytest.fixture
def kept() -> Iterator[KeptWorker]:
    yield KeptWorker(WORKER, memory_bytes=256 * 2**20)
    assert not workers()


async def test_one_process_answers_one_request_after_another(kept: KeptWorker) -> None:
    first = await kept.ask(request("one"), timeout_seconds=60)
    (worker,) = workers()
    second = await kept.ask(request("two"), timeout_seconds=60)
    assert ("/nonexistent/one is not there" in first, "/nonexistent/two is not there" in second) == (True, True)
    assert workers() == {worker}


async def test_requests_at_once_have_a_process_each_and_one_stays(kept: KeptWorker) -> None:
    answers = await asyncio.gather(*(kept.ask(request(name), timeout_seconds=60) for name in "abc"))
    assert [name in answer for name, answer in zip("abc", answers, strict=True)] == [True] * 3


async def test_one_that_nobody_asks_any_more_ends_by_itself(kept: KeptWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_kept, "_STAYS_SECONDS", 0.01)
    await kept.ask(request("one"), timeout_seconds=60)
    await none_is_left()
    assert "two" in await kept.ask(request("two"), timeout_seconds=60)


async def test_one_that_has_answered_often_enough_makes_room_for_a_new_one(
    kept: KeptWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_kept, "_MOST_ANSWERS", 1)
    await kept.ask(request("one"), timeout_seconds=60)
    await none_is_left()
    assert "two" in await kept.ask(request("two"), timeout_seconds=60)


async def test_one_that_was_killed_while_it_waited_is_not_asked(kept: KeptWorker) -> None:
    await kept.ask(request("one"), timeout_seconds=60)
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    await asyncio.to_thread(wait_for, lambda: worker not in children())
    assert "two" in await kept.ask(request("two"), timeout_seconds=60)


async def test_one_that_fails_says_why_and_the_next_request_is_answered(kept: KeptWorker) -> None:
    with pytest.raises(WorkerError, match=r"certificate_look failed with 1: .*this is not JSON"):
        await kept.ask("nonsense", timeout_seconds=60)
    assert "two" in await kept.ask(request("two"), timeout_seconds=60)


async def test_one_that_takes_too_long_is_killed(kept: KeptWorker) -> None:
    # No interpreter has started by then.
    with pytest.raises(WorkerError, match=r"did not answer within 0\.001 s and was killed"):
        await kept.ask(request("one"), timeout_seconds=0.001)
    assert not workers()


async def test_one_that_nobody_waits_for_is_killed(kept: KeptWorker) -> None:
    asked = asyncio.create_task(kept.ask(request("one"), timeout_seconds=60))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not workers()


async def test_a_thread_asks_the_one_of_the_loop(kept: KeptWorker) -> None:
    await kept.ask(request("one"), timeout_seconds=60)
    before = workers()
    assert "two" in await asyncio.to_thread(kept.ask_from_thread, request("two"), timeout_seconds=60)
    assert workers() == before


def test_where_no_loop_runs_a_thread_has_one_for_itself(kept: KeptWorker) -> None:
    assert "one" in kept.ask_from_thread(request("one"), timeout_seconds=60)
    asyncio.run(kept.ask(request("two"), timeout_seconds=60))
    assert "three" in kept.ask_from_thread(request("three"), timeout_seconds=60)
