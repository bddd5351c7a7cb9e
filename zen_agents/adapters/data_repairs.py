"""Has files of data sets repaired by a worker, which writes to a private directory alone (R29)."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from pydantic import ValidationError

from zen_agents.adapters.data_checks import (
    MOST_DESCRIPTORS,
    OWN_MEMORY,
    OWN_SECONDS,
    Told,
    progress_reader,
)
from zen_agents.adapters.spill_directories import spill_directory
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError
from zen_agents.jobs.data_repair import REPAIRED, TAKEN, WORKER, DataRepairReply, FileRepair
from zen_agents.ports.host_datasets import DataQuestion

#: What writing, counting and comparing take beside looking.
_STEPS = 4


@dataclass(frozen=True, slots=True)
class RepairedFile:
    """A file that a worker has written anew; it is gone once the block ends."""

    repair: FileRepair
    directory: Path

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Open what the file is to hold."""
        with opened_of_worker(self.directory / REPAIRED) as descriptor:
            yield descriptor

    @contextlib.contextmanager
    def taken(self) -> Iterator[int]:
        """Open the rows that were taken out, a line of JSON each."""
        with opened_of_worker(self.directory / TAKEN) as descriptor:
            yield descriptor


async def look_at_repair(asked: DataQuestion, told: Told | None = None) -> DataRepairReply:
    """Return what a repair would do; HostError if nobody could tell."""
    async with spill_directory(asked.spill_dir) as spill:
        return await _ask(asked, spill, told, only_look=True)


@contextlib.asynccontextmanager
async def repaired(asked: DataQuestion, told: Told | None = None) -> AsyncIterator[RepairedFile]:
    """Have the one file of a data set written anew, for as long as this lasts.

    HostError if that cannot be done, StalePlanError if there is nothing to repair in it.
    """
    async with spill_directory(asked.spill_dir) as spill:
        reply = await _ask(asked, spill, told, only_look=False)
        if reply.unable or len(reply.files) != 1:
            raise HostError(reply.unable or f"{asked.dataset} is not one file")
        if not reply.files[0].is_needed:
            raise StalePlanError(f"nothing in {reply.files[0].path} needs a repair")
        yield RepairedFile(reply.files[0], Path(spill))


async def _ask(asked: DataQuestion, spill: str, told: Told | None, *, only_look: bool) -> DataRepairReply:
    request = json.dumps({**json.loads(asked.request_json), "spill": spill, "only_look": only_look})
    try:
        answer = await run_worker(
            WORKER, request, timeout_seconds=_STEPS * asked.seconds + OWN_SECONDS,
            memory_bytes=2 * asked.memory_bytes + OWN_MEMORY, processors=asked.threads,
            file_bytes=asked.spill_bytes, descriptors=MOST_DESCRIPTORS, told=progress_reader(told),
        )  # fmt: skip
        return DataRepairReply.model_validate_json(answer)
    except WorkerError as error:
        raise HostError(f"the data set could not be repaired: {error}") from error
    except ValidationError as error:
        raise HostError(f"the repair came back with nonsense: {error.error_count()} errors") from error


@contextlib.contextmanager
def opened_of_worker(path: Path) -> Iterator[int]:
    """Open what a worker of another account left; nothing but a file that is its own and nobody else's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(f"the worker left no {path.name}: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise HostError(f"what the worker left as {path.name} is not its own file; nothing was changed")
        yield descriptor
    finally:
        os.close(descriptor)
