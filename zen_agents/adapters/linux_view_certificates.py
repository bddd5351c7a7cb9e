"""Looks at certificates by a worker: a library that parses what strangers send has no place in the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from zen_agents.adapters.worker_kept import KeptWorker
from zen_agents.adapters.worker_process import WorkerError
from zen_agents.errors import HostError
from zen_agents.jobs.certificate_look import WORKER, LookRequest, MalformedLookError, reply_from_json
from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen

#: What a look takes beside waiting for the server (seconds).
_OWN_SECONDS = 5.0
_MEMORY_BYTES = 256 * 2**20
_FILES_WITHIN_SECONDS = 10.0
_kept = KeptWorker(WORKER, memory_bytes=_MEMORY_BYTES)


async def look(asked: CertificateQuestion, timeout_seconds: float, turns: asyncio.Semaphore) -> CertificateLook:
    """Have a worker look; it waits for its turn, since each is a process."""
    async with turns:
        with _told():
            request = LookRequest(asked, timeout_seconds).to_json()
            return reply_from_json(await _kept.ask(request, timeout_seconds=_within(timeout_seconds)))


def look_at_files(asked: CertificateQuestion) -> Seen:
    """Have a worker look at the files, in a thread that has no loop of its own; no server is asked."""
    with _told():
        request = LookRequest(replace(asked, server=""), _FILES_WITHIN_SECONDS).to_json()
        text = _kept.ask_from_thread(request, timeout_seconds=_within(_FILES_WITHIN_SECONDS))
        found = reply_from_json(text).file
    if found is None:
        raise HostError("the certificate could not be looked at: no file was named")
    return found


def _within(timeout_seconds: float) -> float:
    # A server that hangs may be met twice: once more to see what it is that was refused.
    return 2 * timeout_seconds + _OWN_SECONDS


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (WorkerError, MalformedLookError) as error:
        raise HostError(f"the certificate could not be looked at: {error}") from error
