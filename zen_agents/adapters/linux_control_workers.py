"""What workers change in the place of the engine: sessions of databases, packages, data sets, environments."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zen_agents.adapters.linux_control_children import ChildrenControl
from zen_agents.ports.host_commands import Command, CommandResult

if TYPE_CHECKING:
    from zen_agents.adapters.linux_datasets import DataFilesChanged
    from zen_agents.adapters.linux_tables import TablesChanged
    from zen_agents.model.debian_upgrade import DebianChange
    from zen_agents.model.environment import Switched, Trial, TrialReport
    from zen_agents.model.pool import PoolQuestion, PoolSession
    from zen_agents.ports.host_datasets import DataQuestion
    from zen_agents.ports.host_files import FileState


class WorkerControl(ChildrenControl):
    """Part of `LinuxControl`: what starts the worker is loaded by the first change that needs it."""

    async def end_sessions(
        self, asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float
    ) -> Sequence[int]:
        from zen_agents.adapters import linux_pools  # noqa: PLC0415 - only hosts that list pools

        await self._passed()
        return await linux_pools.end_sessions(asked, sessions, timeout_seconds=timeout_seconds)

    async def keep_debian_packages(self, changes: Sequence[DebianChange], *, action: str) -> Sequence[str]:
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - only hosts whose packages are looked after

        await self._passed()
        kept_in, state_dir = self._shared.quarantine, self._shared.state_dir
        return await linux_debian.keep(changes, action=action, go_on=self.check_stop, kept_in=kept_in, state_dir=state_dir)

    async def install_kept_packages(self, ids: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        debs = [str(self._shared.quarantine.content(id)) for id in ids]
        from zen_agents.model.debian_upgrade import UNASKED  # noqa: PLC0415 - only hosts whose packages are looked after

        argv = ("dpkg", "--force-confold", "--install", *debs)
        return await self.run(Command(argv, environment=UNASKED, timeout_seconds=timeout_seconds, is_let_finish=True))

    async def repair_data(
        self, asked: DataQuestion, expected: FileState, about: str, taken_to: str, *, action: str
    ) -> str:  # fmt: skip
        return await (await self._datasets()).repair(asked, expected, about, taken_to, action)

    async def restore_data(self, expected: FileState, copy: FileState, *, action: str) -> str:
        return await (await self._datasets()).restore(expected, copy, action)

    async def put_back_data(self, expected: FileState, id: str, *, action: str) -> str:
        return await (await self._datasets()).put_back(expected, id, action)

    async def repair_table(self, asked: DataQuestion, about: str, taken_to: str, *, action: str) -> str:
        return (await (await self._tables()).repair(asked, about, taken_to, action)).model_dump_json()

    async def put_back_rows(self, asked: DataQuestion, id: str, *, action: str) -> str:
        del action
        return (await (await self._tables()).put_back(asked, id)).model_dump_json()

    async def _tables(self) -> TablesChanged:
        await self._passed()
        return self._shared.tables(self.check_stop)

    async def _datasets(self) -> DataFilesChanged:
        await self._passed()
        return self._shared.data_files(self.check_stop)

    async def try_environment(self, trial: Trial) -> TrialReport:
        from zen_agents.adapters.linux_environments import try_out  # noqa: PLC0415 - only hosts that list environments

        await self._passed()
        return await try_out(self._shared.stages, self._intent_id, trial, self.check_stop)

    async def switch_environment(self) -> Switched:
        from zen_agents.adapters.linux_environments import switch  # noqa: PLC0415 - as above

        return await switch(self._shared.stages, self._intent_id, self.check_stop)

    async def restarting_on_environment(self, units: Sequence[str]) -> None:
        await asyncio.to_thread(self._shared.stages.restarting, self._intent_id, units)

    async def keep_environment(self, seconds: float) -> None:
        await asyncio.to_thread(self._shared.stages.keep, self._intent_id, seconds)

    async def switch_environment_back(self, id: str) -> None:
        await self._passed()
        await asyncio.to_thread(self._shared.stages.switch_back, id)
