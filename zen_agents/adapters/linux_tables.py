"""Tables repaired and put back: made final only once what was there is in the quarantine, and rows taken out in a file."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator

from zen_agents.adapters.data_repairs import opened_of_worker
from zen_agents.adapters.linux_view_files import file_state
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.safe_files import OpenDirectory, open_directory
from zen_agents.adapters.table_repairs import Asked, PreparedTable, UnsettledError, prepared, settled
from zen_agents.adapters.worker_process import WorkerError
from zen_agents.clock import Clock
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, StalePlanError
from zen_agents.jobs.table_repair import TAKEN, UNDO, PutBack, TableChanged, TableReply
from zen_agents.ports.host_datasets import DataQuestion
from zen_agents.ports.host_files import FileState


@dataclass(frozen=True, slots=True)
class TablesChanged:
    """See `ports.host_datasets.DatasetControl`."""

    quarantine: Quarantine
    clock: Clock
    #: Raises if the emergency stop is set; asked at each piece, and before the last word.
    check_stop: Callable[[], None]

    async def repair(self, asked: DataQuestion, about: str, taken_to: str, action: str) -> TableChanged:
        async with prepared(asked, Asked("repair", about)) as table:
            with contextlib.ExitStack() as undone:
                kept = await asyncio.to_thread(self._keep, table, asked, action)
                taken = await asyncio.to_thread(self._take_out, table, asked, taken_to, undone)
                self.check_stop()
                try:
                    reply = await self._final(table, asked, str(self.quarantine.content(kept)))
                except UnsettledError as error:
                    undone.pop_all()
                    raise UnsettledError(f"{error}; rows as they were: {kept} of the quarantine") from error
                undone.pop_all()
            return TableChanged(kept=kept, taken_to=taken, repair=reply.repair if reply is not None else None)

    async def put_back(self, asked: DataQuestion, id: str) -> PutBack:
        undo = str(self.quarantine.content(id))
        try:
            async with prepared(asked, Asked("put_back", undo=undo)) as table:
                self.check_stop()
                reply = await self._final(table, asked, "")
        except HostError as error:
            raise HostError(f"{error}; all that undo takes is kept: once that is mended, undo it again") from error
        if reply is None or reply.put_back is None:
            raise UnsettledError(f"rows of {asked.dataset} were put back; how many, nobody can say any more")
        return reply.put_back

    async def _final(self, table: PreparedTable, asked: DataQuestion, undo: str) -> TableReply | None:
        """Make it final; None if it is and nobody said so. HostError if it is not, UnsettledError if nobody knows."""
        mark = table.mark
        try:
            reply = await table.commit()
        except WorkerError as error:
            if not await settled(asked, Asked("settle", undo=undo, mark=mark)):
                raise HostError(f"{asked.dataset} was not changed: {error}") from error
            return None
        if reply.settled == "unknown" and not await settled(asked, Asked("settle", undo=undo, mark=mark)):
            raise HostError(f"{asked.dataset} was not changed: its database went away at the last moment")
        return reply

    def _keep(self, table: PreparedTable, asked: DataQuestion, action: str) -> str:
        with opened_of_worker(table.directory / UNDO) as descriptor:
            state = file_state(f"rows of {asked.dataset}", os.fstat(descriptor))
            return self.quarantine.keep(descriptor, state, action=action, go_on=self.check_stop)

    def _take_out(self, table: PreparedTable, asked: DataQuestion, taken_to: str, undone: contextlib.ExitStack) -> str:
        """Write the rows that are taken out before they are gone; the file goes again if they stay."""
        with opened_of_worker(table.directory / TAKEN) as rows:
            if not os.fstat(rows).st_size:
                return ""
            if not taken_to:
                raise HostError(f"nothing says where rows go that are taken out of {asked.dataset}: name a `quarantine`")
            name = f"{asked.dataset}.{self.clock.now().wall:%Y%m%dT%H%M%SZ}.quarantined"
            with self._open(taken_to) as beside:
                written = beside.take_in(rows, name, beside.directory()._replace(mode=0o600))
        undone.callback(self._remove, taken_to, written)
        return written.path

    def _remove(self, folder: str, written: FileState) -> None:
        # What is left over is a copy of rows that are where they were.
        with contextlib.suppress(HostError, StalePlanError, OSError), self._open(folder) as beside:
            beside.remove(written)

    @contextlib.contextmanager
    def _open(self, folder: str) -> Iterator[OpenDirectory]:
        with open_directory(folder, go_on=self.check_stop, quarantine=self.quarantine) as directory:
            yield directory
