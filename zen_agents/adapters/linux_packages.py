"""Looks at packages by a worker: the libraries that order versions and read advisories have no place in the engine."""

from __future__ import annotations

import asyncio

from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.errors import HostError
from zen_agents.jobs.package_look import WORKER, MalformedPackagesError, reply_from_json, request_to_json
from zen_agents.model.package_look import PackageLook, PackageQuestion

#: A list of all packages of a release has some 50 MB.
_MEMORY_BYTES = _FILE_BYTES = 1 << 30
_NOW_WITHIN_SECONDS = 120.0


async def look(asked: PackageQuestion, timeout_seconds: float, turns: asyncio.Semaphore) -> PackageLook:
    """Have a worker look; it waits for its turn, since each is a process."""
    async with turns:
        return await _ask(asked, timeout_seconds)


def look_now(asked: PackageQuestion) -> PackageLook:
    """Have a worker look, in a thread that has no loop of its own."""
    return asyncio.run(_ask(asked, _NOW_WITHIN_SECONDS))


async def _ask(asked: PackageQuestion, timeout_seconds: float) -> PackageLook:
    try:
        said = await run_worker(
            WORKER,
            request_to_json(asked),
            timeout_seconds=timeout_seconds,
            memory_bytes=_MEMORY_BYTES,
            file_bytes=_FILE_BYTES,
        )
        return reply_from_json(said)
    except (WorkerError, MalformedPackagesError) as error:
        raise HostError(f"the packages could not be looked at: {error}") from error
