"""Files of data sets repaired, restored and put back: by descriptor, in one step, with what was there kept (R10, R19)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar

from zen_agents.adapters.data_repairs import RepairedFile, repaired
from zen_agents.adapters.file_holders import somebody_writes
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.safe_files import OpenDirectory, open_directory
from zen_agents.dataclass import dataclass
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.jobs.data_repair import Replaced
from zen_agents.ports.host_datasets import DataQuestion
from zen_agents.ports.host_files import FileState

_T = TypeVar("_T")
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class DataFilesChanged:
    """See `ports.host_datasets.DatasetControl`."""

    quarantine: Quarantine
    #: Raises if the emergency stop is set; asked at each piece.
    check_stop: Callable[[], None]

    async def repair(self, asked: DataQuestion, expected: FileState, about: str, taken_to: str, action: str) -> str:
        async with repaired(asked) as done:
            if done.repair.about != about or done.repair.identity[:2] != (expected.device, expected.inode):
                raise StalePlanError(f"{expected.path} was written since it was looked at; nothing was changed")
            return (
                await self._in_thread(lambda go_on: self._put(done, expected, taken_to, action, go_on))
            ).model_dump_json()

    async def restore(self, expected: FileState, copy: FileState, action: str) -> str:
        def work(go_on: Callable[[], None]) -> Replaced:
            with self._open(copy, go_on) as there, there.reading(copy) as source, self._open(expected, go_on) as directory:
                return self._swap(directory, source, expected, expected, "", action)

        return (await self._in_thread(work)).model_dump_json()

    async def put_back(self, expected: FileState, id: str, action: str) -> str:
        def work(go_on: Callable[[], None]) -> Replaced:
            with self.quarantine.opened(id) as (source, kept), self._open(expected, go_on) as directory:
                if kept.path != expected.path:
                    raise StalePlanError(f"{id} was {kept.path}, not {expected.path}; nothing was done")
                as_it_was = kept.likeness
                like = expected._replace(mode=as_it_was.mode & 0o777, owner=as_it_was.owner, group=as_it_was.group)
                return self._swap(directory, source, expected, like, kept.sha256, action)

        return (await self._in_thread(work)).model_dump_json()

    def _put(
        self, done: RepairedFile, expected: FileState, taken_to: str, action: str, go_on: Callable[[], None]
    ) -> Replaced:
        """Write the rows that are taken out first: a crash between the two leaves them in both, and none in neither."""
        with contextlib.ExitStack() as stack:
            taken = ""
            if done.repair.taken:
                beside = stack.enter_context(open_directory(taken_to, go_on=go_on, quarantine=self.quarantine))
                rows = stack.enter_context(done.taken())
                taken = stack.enter_context(_taken_rows(beside, rows, expected))
            directory = stack.enter_context(self._open(expected, go_on))
            with done.opened() as source:
                replaced = self._swap(directory, source, expected, expected, done.repair.sha256, action)
            return replaced.model_copy(update={"repair": done.repair, "taken_to": taken})

    def _swap(
        self, directory: OpenDirectory, source: int, expected: FileState, like: FileState, sha256: str, action: str
    ) -> Replaced:
        _left_alone(directory, expected)
        candidate = directory.stage_from(source, like, sha256=sha256)
        try:
            _left_alone(directory, expected)
            kept = directory.swap(candidate, expected, _name(expected), action=action)
        except BaseException:
            directory.discard(candidate)
            raise
        now = next(each for each in directory.entries() if each.path == expected.path)
        return Replaced(path=expected.path, kept=kept, left=now.fingerprint)

    def _open(self, file: FileState, go_on: Callable[[], None]) -> contextlib.AbstractContextManager[OpenDirectory]:
        return open_directory(file.path.rpartition("/")[0] or "/", go_on=go_on, quarantine=self.quarantine)

    async def _in_thread(self, work: Callable[[Callable[[], None]], _T]) -> _T:
        """Do blocking work beside the loop; it has ended when this returns, also by a cancellation."""
        over = threading.Event()

        def go_on() -> None:
            if over.is_set():
                raise RefusedError("the action's time is over; nothing was changed")
            self.check_stop()

        task = asyncio.ensure_future(asyncio.to_thread(work, go_on))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            over.set()
            await asyncio.wait((task,))
            raise


def _left_alone(directory: OpenDirectory, expected: FileState) -> None:
    with directory.reading(expected) as descriptor:
        if somebody_writes(descriptor, expected.path):
            raise StalePlanError(f"somebody has {expected.path} open to write to it; nothing was changed")


@contextlib.contextmanager
def _taken_rows(directory: OpenDirectory, rows: int, file: FileState) -> Iterator[str]:
    """Write what is taken out of a file, named for when that was written; it goes again if the block fails.

    What an earlier try has left, which ended before it could exchange the file, is what is to be written: it stays.
    """
    names = {each.path.rpartition("/")[2]: each for each in directory.entries()}
    written = datetime.fromtimestamp(file.modified, UTC)
    for number in itertools.count(1):
        more = f".{number}" if number > 1 else ""
        name = f"{_name(file)}.{written:%Y%m%dT%H%M%SZ}{more}.quarantined"
        if name not in names:
            break
        with directory.reading(names[name]) as there:
            if _is_same(there, rows):
                yield names[name].path
                return
    made = directory.take_in(rows, name, file)
    try:
        yield made.path
    except BaseException:
        with contextlib.suppress(Exception):  # what is left over is a copy of rows that are where they were
            directory.remove(made)
        raise


def _is_same(one: int, other: int) -> bool:
    size = os.fstat(one).st_size
    if size != os.fstat(other).st_size:
        return False
    return all(os.pread(one, _CHUNK, at) == os.pread(other, _CHUNK, at) for at in range(0, size, _CHUNK))


def _name(file: FileState) -> str:
    return file.path.rpartition("/")[2]
