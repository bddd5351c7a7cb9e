"""Asks about Debian packages by workers, and keeps the .debs that are the way back in the quarantine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zen_agents.adapters import safe_files
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.errors import ActionFailedError, HostError
from zen_agents.jobs import debian_keep, debian_look, debian_trial
from zen_agents.jobs.debian_look import MalformedDebianError
from zen_agents.model.debian_upgrade import DebianChange, DebianLook, DebianQuestion, DebianTrial, DebianTried

if TYPE_CHECKING:
    from zen_agents.adapters.quarantine import Quarantine

#: Planning waits for it; apt needs a second, on a host that is busy or has many architectures more.
_NOW_SECONDS = 90.0
_KEEP_SECONDS, _OWN_SECONDS = 300.0, 30.0
#: apt maps the lists of all packages; the largest .deb of Debian has not quite a gibibyte.
_MEMORY_BYTES, _FILE_BYTES = 1 << 30, 1 << 30
#: Where in the state directory .debs lie until they are in the quarantine.
_STAGING = "packages"


async def look(asked: DebianQuestion, timeout_seconds: float, turns: asyncio.Semaphore) -> DebianLook:
    """Have a worker ask apt; it waits for its turn, since each is a process."""
    async with turns:
        return await _look(asked, timeout_seconds)


def look_now(asked: DebianQuestion) -> DebianLook:
    """Have a worker ask apt, in a thread that has no loop of its own."""
    return asyncio.run(_look(asked, _NOW_SECONDS))


async def _look(asked: DebianQuestion, timeout_seconds: float) -> DebianLook:
    try:
        return debian_look.reply_from_json(
            await _work(debian_look.WORKER, debian_look.request_to_json(asked), timeout_seconds)
        )
    except (WorkerError, MalformedDebianError) as error:
        raise HostError(f"apt could not be asked: {error}") from error


async def trial(asked: DebianTrial) -> DebianTried:
    """Have a worker make the upgrade in a copy of the root; see `DebianView.debian_trial`."""
    request = debian_trial.request_to_json(asked)
    try:
        return debian_trial.reply_from_json(await _work(debian_trial.WORKER, request, asked.within_seconds + _OWN_SECONDS))
    except (WorkerError, MalformedDebianError) as error:
        raise HostError(f"the upgrade could not be tried: {error}") from error


async def keep(
    changes: Sequence[DebianChange], *, action: str, go_on: Callable[[], None], kept_in: Quarantine, state_dir: Path
) -> Sequence[str]:
    """Have a worker fetch .debs, then take them into the quarantine; see `DebianControl.keep_debian_packages`."""
    folder = str(state_dir / _STAGING)
    request = debian_keep.KeepRequest(folder, tuple(changes)).to_json()
    try:
        reply = debian_keep.KeepReply.from_json(await _work(debian_keep.WORKER, request, _KEEP_SECONDS))
    except (WorkerError, MalformedDebianError) as error:
        raise ActionFailedError(f"what is installed now could not be kept, so nothing was changed: {error}") from error
    if reply.failed or len(reply.names) != len(changes):
        raise ActionFailedError(f"what is installed now could not be kept, so nothing was changed: {reply.failed}")
    return await asyncio.to_thread(_into_quarantine, folder, reply.names, action, go_on, kept_in)


def _into_quarantine(
    folder: str, names: Sequence[str], action: str, go_on: Callable[[], None], kept_in: Quarantine
) -> Sequence[str]:
    with safe_files.open_directory(folder, go_on=go_on, quarantine=kept_in) as directory:
        found = {state.path.rpartition("/")[2]: state for state in directory.entries()}
        if missing := [name for name in names if name not in found]:
            raise HostError(f"{missing[0]} is not in {folder} any more; nothing was changed")
        return [directory.quarantine(found[name], action=action) for name in names]


async def _work(module: str, request: str, within_seconds: float) -> str:
    return await run_worker(
        module, request, timeout_seconds=within_seconds, memory_bytes=_MEMORY_BYTES, file_bytes=_FILE_BYTES
    )
