"""Has data sets checked by a worker: DuckDB has no place in the engine, nor has anybody's data (R29)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Final

from pydantic import ValidationError

from zen_agents.adapters.spill_directories import spill_directory
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.errors import HostError
from zen_agents.jobs import data_diff, data_failing
from zen_agents.jobs.data_check import WORKER, DataCheckProgress
from zen_agents.ports.host_datasets import DataQuestion

#: What the interpreter, the library and its threads take beside the memory for the data.
OWN_MEMORY: Final = 4 << 30
#: A worker looks at ten thousand files at most, each opened twice.
MOST_DESCRIPTORS: Final = 32_768
#: What starting and ending take (seconds).
OWN_SECONDS: Final = 15.0

#: Is told how far it is.
Told = Callable[[DataCheckProgress], None]


async def check_data(asked: DataQuestion, told: Told | None = None) -> str:
    """Return what a worker says of a data set; HostError if none could, or if it took longer than it may."""
    return await _answered(WORKER, asked, told)


async def compare_data(asked: DataQuestion, told: Told | None = None) -> str:
    """Return what a worker says differs between two data sets, a `jobs.data_diff.DataDiffReply`; HostError as above."""
    return await _answered(data_diff.WORKER, asked, told)


async def failing_files(asked: DataQuestion, told: Told | None = None) -> str:
    """Return which files a worker says fail, a `jobs.data_failing.DataFailingReply`; HostError as above."""
    return await _answered(data_failing.WORKER, asked, told)


async def _answered(worker: str, asked: DataQuestion, told: Told | None) -> str:
    async with spill_directory(asked.spill_dir) as spill:
        request = json.dumps({**json.loads(asked.request_json), "spill": spill})
        try:
            return await run_worker(
                worker, request, timeout_seconds=asked.seconds + OWN_SECONDS,
                memory_bytes=2 * asked.memory_bytes + OWN_MEMORY, processors=asked.threads,
                file_bytes=asked.spill_bytes, descriptors=MOST_DESCRIPTORS, told=progress_reader(told),
            )  # fmt: skip
        except WorkerError as error:
            raise HostError(f"the data set could not be looked at: {error}") from error


def progress_reader(told: Told | None) -> Callable[[str], None] | None:
    """Return what reads a worker's lines about how far it is."""
    if told is None:
        return None

    def read(line: str) -> None:
        with contextlib.suppress(ValidationError):  # what a library has to say is not for us
            told(DataCheckProgress.model_validate_json(line))

    return read
