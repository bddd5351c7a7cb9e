"""Asks connection pools by a worker: a driver for databases has no place in the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from zen_agents.adapters.worker_kept import KeptWorker
from zen_agents.adapters.worker_process import WorkerError
from zen_agents.errors import ActionFailedError, HostError
from zen_agents.jobs.pool_look import WORKER, MalformedPoolError, PoolReply, PoolRequest
from zen_agents.model.pool import PoolLook, PoolQuestion, PoolSession

#: What a worker takes beside waiting for the server (seconds).
_OWN_SECONDS = 5.0
_MEMORY_BYTES = 512 * 2**20
_kept = KeptWorker(WORKER, memory_bytes=_MEMORY_BYTES)


async def look(asked: PoolQuestion, timeout_seconds: float, turns: asyncio.Semaphore) -> PoolLook:
    """Have a worker ask; it waits for its turn, since each is a process."""
    async with turns:
        return (await _ask(PoolRequest(asked, timeout_seconds))).look


def look_now(asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
    """Have a worker ask, in a thread that has no loop of its own."""
    request = PoolRequest(asked, timeout_seconds)
    with _told():
        return PoolReply.from_json(_kept.ask_from_thread(request.to_json(), timeout_seconds=_within(request))).look


async def end_sessions(asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float) -> Sequence[int]:
    """Have a worker end what was forgotten; see `PoolControl.end_sessions`."""
    reply = await _ask(PoolRequest(asked, timeout_seconds, tuple(sessions)))
    if reply.refused:
        raise ActionFailedError(f"no session was ended: {reply.refused}")
    if reply.left:
        left = ", ".join(map(str, reply.left))
        raise ActionFailedError(f"{len(reply.ended)} sessions were ended; these were told to and stay: {left}")
    return reply.ended


async def _ask(request: PoolRequest) -> PoolReply:
    with _told():
        return PoolReply.from_json(await _kept.ask(request.to_json(), timeout_seconds=_within(request)))


def _within(request: PoolRequest) -> float:
    # Connecting and asking may take so long each.
    return 2 * request.within_seconds + _OWN_SECONDS


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (WorkerError, MalformedPoolError) as error:
        raise HostError(f"the pool could not be asked: {error}") from error
