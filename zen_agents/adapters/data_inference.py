"""Has a contract proposed for a file by a worker (R29)."""

from __future__ import annotations

import json

from pydantic import ValidationError

from zen_agents.adapters.data_checks import MOST_DESCRIPTORS, OWN_MEMORY, OWN_SECONDS
from zen_agents.adapters.spill_directories import spill_directory
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.errors import HostError
from zen_agents.jobs.data_infer import WORKER, DataInferReply
from zen_agents.ports.host_datasets import DataQuestion


async def infer_contract(asked: DataQuestion) -> DataInferReply:
    """Return what a worker proposes; HostError if it could not look."""
    async with spill_directory(asked.spill_dir) as spill:
        request = json.dumps({**json.loads(asked.request_json), "spill": spill})
        try:
            answer = await run_worker(
                WORKER, request, timeout_seconds=asked.seconds + OWN_SECONDS,
                memory_bytes=2 * asked.memory_bytes + OWN_MEMORY, processors=asked.threads,
                file_bytes=asked.spill_bytes, descriptors=MOST_DESCRIPTORS,
            )  # fmt: skip
            reply = DataInferReply.model_validate_json(answer)
        except WorkerError as error:
            raise HostError(f"the file could not be looked at: {error}") from error
        except ValidationError as error:
            raise HostError(f"the worker came back with nonsense: {error.error_count()} errors") from error
    if reply.unable:
        raise HostError(reply.unable)
    return reply
