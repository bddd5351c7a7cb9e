"""Databases of SQLite copied by a worker as one state of them, and looked at before they count as good (R29)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from zen_agents.adapters.data_checks import (
    MOST_DESCRIPTORS,
    OWN_MEMORY,
    OWN_SECONDS,
    check_data,
)
from zen_agents.adapters.data_repairs import opened_of_worker
from zen_agents.adapters.spill_directories import spill_directory
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.datasets.job import copy_question, report_in, why_no_good_copy
from zen_agents.datasets.plain import MalformedDatasetError, contract_from_plain
from zen_agents.errors import HostError
from zen_agents.jobs.data_snapshot import COPY, WORKER, DataSnapshotReply
from zen_agents.ports.host_datasets import DataQuestion


@asynccontextmanager
async def copied(asked: DataQuestion) -> AsyncIterator[int]:
    """Have the database of a look copied, and open the copy for as long as this lasts; HostError if it is no good one."""
    async with spill_directory(asked.spill_dir) as spill:
        contract = json.loads(asked.request_json)["contract"]
        reply = await _reply(asked, json.dumps({"contract": contract, "spill": spill}))
        if reply.unable:
            raise HostError(reply.unable)
        path = Path(spill) / COPY
        try:
            report = report_in(await check_data(copy_question(contract_from_plain(contract), str(path))))
        except MalformedDatasetError as error:
            raise HostError(f"the look at the copy came back with nonsense: {error}") from error
        if why := why_no_good_copy(report):
            raise HostError(f"a copy of it is not good: {why}")
        with opened_of_worker(path) as descriptor:
            yield descriptor


async def _reply(asked: DataQuestion, request: str) -> DataSnapshotReply:
    try:
        answer = await run_worker(
            WORKER, request, timeout_seconds=asked.seconds + OWN_SECONDS, memory_bytes=asked.memory_bytes + OWN_MEMORY,
            file_bytes=asked.spill_bytes, descriptors=MOST_DESCRIPTORS,
        )  # fmt: skip
        return DataSnapshotReply.model_validate_json(answer)
    except WorkerError as error:
        raise HostError(f"the database could not be copied: {error}") from error
    except ValidationError as error:
        raise HostError(f"the copy came back with nonsense: {error.error_count()} errors") from error
