"""Has tables repaired by a worker, which makes nothing final before what undo needs is kept (R10, R16)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Final

from pydantic import ValidationError

from zen_agents.adapters.data_checks import MOST_DESCRIPTORS, OWN_MEMORY, OWN_SECONDS
from zen_agents.adapters.spill_directories import spill_directory
from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError, ZenError
from zen_agents.jobs.table_repair import COMMIT, WORKER, TableReady, TableReply
from zen_agents.ports.host_datasets import DataQuestion

#: To find out what became of a transaction may take so long (seconds).
_SETTLE_SECONDS: Final = 30.0


class UnsettledError(ZenError):
    """Nobody knows whether the table was changed; look at it, its database went away at the last moment."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a worker is asked about a table, besides its contract."""

    verb: str
    about: str = ""
    undo: str = ""
    mark: str = ""


class PreparedTable:
    """A transaction that is done and waits for its last word; it is rolled back if the block ends without that."""

    def __init__(self, directory: Path, mark: str, answers: IO[bytes], task: asyncio.Task[TableReply]) -> None:
        self.directory, self.mark = directory, mark
        self._answers, self._task = answers, task
        self.is_told = False

    async def commit(self) -> TableReply:
        """Make it final; HostError if it was rolled back, WorkerError if nobody heard what became of it."""
        self.is_told = True
        with contextlib.suppress(BrokenPipeError):
            self._answers.write(COMMIT.encode() + b"\n")
            self._answers.flush()
        self._answers.close()
        return _good(await self._task)


async def ask_table(question: DataQuestion, asked: Asked) -> TableReply:
    """Return what a worker says of a table; HostError if it could not tell."""
    async with spill_directory(question.spill_dir) as spill:
        try:
            return await _run(question, asked, spill, None, None)
        except WorkerError as error:
            raise HostError(f"the table could not be looked at: {error}") from error


@contextlib.asynccontextmanager
async def prepared(question: DataQuestion, asked: Asked) -> AsyncIterator[PreparedTable]:
    """Have a table changed in a transaction that stays open for as long as this lasts.

    HostError if that cannot be done, StalePlanError if other rows are there than were planned for, or nothing is to do.
    """
    ready: asyncio.Future[TableReady] = asyncio.get_running_loop().create_future()

    def told(line: str) -> None:
        with contextlib.suppress(ValidationError):
            found = TableReady.model_validate_json(line)
            if not ready.done():
                ready.set_result(found)

    async with spill_directory(question.spill_dir) as spill:
        reads, writes = os.pipe()
        with os.fdopen(reads, "rb") as rest, os.fdopen(writes, "wb") as answers:
            task = asyncio.create_task(_run(question, asked, spill, told, rest))
            try:
                await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
                if not ready.done():
                    raise _not_ready(await _replied(task))
                yield PreparedTable(Path(spill), ready.result().mark, answers, task)
            finally:
                # Without an answer the worker rolls back.
                answers.close()
                await _over(task)


async def _over(task: asyncio.Task[TableReply]) -> None:
    """Wait until the worker has ended, whatever it says; kill it if whoever waits here is not to wait."""
    try:
        await asyncio.wait((task,))
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait((task,))
        raise
    if not task.cancelled():
        task.exception()


async def settled(question: DataQuestion, asked: Asked) -> bool:
    """Tell whether a transaction took place; UnsettledError if nobody can."""
    try:
        found = (await ask_table(question._replace(seconds=_SETTLE_SECONDS), asked)).settled
    except HostError as error:
        raise UnsettledError(f"nobody knows whether {question.dataset} was changed: {error}") from error
    if found not in ("done", "not_done"):
        raise UnsettledError(f"nobody knows whether {question.dataset} was changed; look at the table")
    return found == "done"


def _not_ready(reply: TableReply) -> ZenError:
    if reply.is_stale or not reply.unable:
        return StalePlanError(reply.unable or "nothing in it needs a repair")
    return _untouched(reply.unable)


def _untouched(why: str) -> HostError:
    return HostError(f"{why}; nothing was changed")


async def _replied(task: asyncio.Task[TableReply]) -> TableReply:
    try:
        return await task
    except WorkerError as error:
        raise _untouched(f"the table could not be repaired: {error}") from error


def _good(reply: TableReply) -> TableReply:
    if reply.unable:
        raise _untouched(reply.unable)
    return reply


async def _run(question: DataQuestion, asked: Asked, spill: str, told: Any, rest: BufferedReader[Any] | None) -> TableReply:
    request = {**json.loads(question.request_json), "spill": spill, "verb": asked.verb}
    request |= {"about": asked.about, "undo": asked.undo, "mark": asked.mark}
    answer = await run_worker(
        WORKER, json.dumps(request) + "\n", timeout_seconds=question.seconds + OWN_SECONDS, told=told, rest=rest,
        memory_bytes=2 * question.memory_bytes + OWN_MEMORY, processors=question.threads,
        file_bytes=question.spill_bytes, descriptors=MOST_DESCRIPTORS,
    )  # fmt: skip
    try:
        return TableReply.model_validate_json(answer)
    except ValidationError as error:
        raise HostError(f"the worker came back with nonsense: {error.error_count()} errors") from error
