"""Looks at certificates by a worker: a library that parses what strangers send has no place in the engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.errors import HostError
from zen_agents.jobs.certificate_look import WORKER, LookRequest, MalformedLookError, reply_from_json
from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen

#: What a look takes beside waiting for the server (seconds).
_OWN_SECONDS = 5.0
_MEMORY_BYTES = 256 * 2**20
_FILES_WITHIN_SECONDS = 10.0


async def look(asked: CertificateQuestion, timeout_seconds: float, turns: asyncio.Semaphore) -> CertificateLook:
    """Have a worker look; it waits for its turn, since each is a process."""
    async with turns:
        return await _ask(asked, timeout_seconds)


def look_at_files(asked: CertificateQuestion) -> Seen:
    """Have a worker look at the files, in a thread that has no loop of its own; no server is asked."""
    found = asyncio.run(_ask(replace(asked, server=""), _FILES_WITHIN_SECONDS)).file
    if found is None:
        raise HostError("the certificate could not be looked at: no file was named")
    return found


async def _ask(asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
    request = LookRequest(asked, timeout_seconds).to_json()
    try:
        # A server that hangs may be met twice: once more to see what it is that was refused.
        within = 2 * timeout_seconds + _OWN_SECONDS
        return reply_from_json(await run_worker(WORKER, request, timeout_seconds=within, memory_bytes=_MEMORY_BYTES))
    except (WorkerError, MalformedLookError) as error:
        raise HostError(f"the certificate could not be looked at: {error}") from error
