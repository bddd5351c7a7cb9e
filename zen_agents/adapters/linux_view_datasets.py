"""What a look at a Linux host says of data sets, by workers; what starts those is loaded by the first question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zen_agents.adapters.linux_host import LinuxHost
    from zen_agents.ports.host_datasets import DataQuestion, LookTold, RepairLook, SnapshotQuestion
    from zen_agents.ports.host_files import FileState


class DatasetLook:
    """The part of `LinuxView` that implements `ports.host_datasets.DatasetView`."""

    _host: LinuxHost

    async def check_data(self, asked: DataQuestion, told: LookTold | None = None) -> str:
        """Have a worker look; never remembered."""
        from zen_agents.adapters.data_checks import check_data  # noqa: PLC0415 - only hosts that list data sets pay
        from zen_agents.adapters.data_places import bytes_of  # noqa: PLC0415 - see above

        tell = None if told is None else lambda now: told(now.doing, now.share_of_all)
        async with self._host.data_turns.turn(asked.dataset, lambda: bytes_of(asked)):
            return await check_data(asked, tell)

    async def look_at_repair(self, look: RepairLook, told: LookTold) -> None:
        """Have a worker find out what a repair would do, unless what is known still holds; checks go on meanwhile."""
        async with self._host.repair_look_turns:
            await self._host.repair_looks.look(look, told)

    def repair_known(self, look: RepairLook) -> str:
        """Return what was found."""
        return self._host.repair_looks.known(look)

    def forget_repair(self, dataset: str) -> None:
        """Forget what was found."""
        self._host.repair_looks.forget(dataset)

    async def keep_snapshot(self, asked: SnapshotQuestion) -> bool:
        """Keep a copy in the state, or in the directory that is named."""
        from zen_agents.adapters.data_snapshots import keep_snapshot  # noqa: PLC0415 - only hosts that keep some pay

        async with self._host.data_turns.turn(f"a copy of {asked.look.dataset}", lambda: asked.seen.size):
            return await keep_snapshot(self._host.state_dir, asked)

    def snapshots(self, dataset: str, path: str, directory: str) -> Sequence[FileState]:
        """Return the copies of a file, the newest first."""
        from zen_agents.adapters.data_snapshots import Snapshots  # noqa: PLC0415 - see above

        return Snapshots(self._host.state_dir, dataset, path, directory).found()
