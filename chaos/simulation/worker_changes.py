"""What workers change on a simulated host: data sets, environments, packages and the sessions of a pool."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from chaos.simulation.world import SimulatedWorld
from zen_agents.actions.table_repairs import touched
from zen_agents.datasets.plain import contract_from_plain
from zen_agents.jobs.data_repair import Replaced
from zen_agents.jobs.table_repair import PutBack, TableChanged
from zen_agents.model.debian_upgrade import DebianChange
from zen_agents.model.environment import Switched, Trial, TrialReport
from zen_agents.model.pool import PoolQuestion, PoolSession
from zen_agents.ports.host_commands import CommandResult
from zen_agents.ports.host_datasets import DataQuestion
from zen_agents.ports.host_files import FileState

if TYPE_CHECKING:
    from chaos.simulation.directory import SimulatedDirectory
    from chaos.simulation.view import SimulatedView


class WorkerChanges(ABC):
    """The part of `SimulatedControl` that does what the real one has workers do."""

    _host: SimulatedWorld
    #: By which what it does to an environment is known.
    _id: str

    @property
    @abstractmethod
    def view(self) -> SimulatedView:
        """What the host looks like now."""

    @abstractmethod
    def check_stop(self) -> None:
        """Raise RefusedError while the emergency stop is set."""

    @abstractmethod
    def open_directory(self, path: str) -> AbstractContextManager[SimulatedDirectory]:
        """Open a directory to change what is in it."""

    @abstractmethod
    def _note(self, change: str, resource: str) -> None:
        """Note what is changed, and refuse it while the emergency stop is set."""

    async def repair_data(
        self, asked: DataQuestion, expected: FileState, about: str, taken_to: str, *, action: str
    ) -> str:  # fmt: skip
        del asked, about, taken_to
        return self._replaced(expected, b"repaired", action)

    async def repair_table(self, asked: DataQuestion, about: str, taken_to: str, *, action: str) -> str:
        del taken_to
        self._note(f"repair the table of {asked.dataset}", _table_of(asked))
        id = f"q-{len(self._host.kept_rows):024x}"
        self._host.kept_rows[asked.dataset, id] = self._host.tables.pop(asked.dataset)
        return TableChanged(kept=id).model_dump_json()

    async def put_back_rows(self, asked: DataQuestion, id: str, *, action: str) -> str:
        del action
        self._note(f"put rows of {asked.dataset} back", _table_of(asked))
        self._host.tables[asked.dataset] = self._host.kept_rows.pop((asked.dataset, id))
        return PutBack(rows=1, back=1).model_dump_json()

    async def restore_data(self, expected: FileState, copy: FileState, *, action: str) -> str:
        return self._replaced(expected, self.view.content(copy.path) or b"", action)

    async def put_back_data(self, expected: FileState, id: str, *, action: str) -> str:
        return self._replaced(expected, self.view.kept_content(id), action)

    def _replaced(self, expected: FileState, content: bytes, action: str) -> str:
        folder, _, name = expected.path.rpartition("/")
        with self.open_directory(folder) as directory:
            kept = directory.swap(directory.stage(content, expected), expected, name, action=action)
        now = self._host.files.states[expected.path]
        return Replaced(path=expected.path, kept=kept, left=now.fingerprint).model_dump_json()

    async def try_environment(self, trial: Trial) -> TrialReport:
        self.check_stop()
        self._note(f"try an upgrade of {trial.environment.venv}", f"path:{trial.environment.venv}")
        return self._host.environments.try_out(self._id, trial)

    async def switch_environment(self) -> Switched:
        self.check_stop()
        return self._host.environments.switch(self._id)

    async def restarting_on_environment(self, units: Sequence[str]) -> None:
        """Nothing is noted: a simulation has no crash in between."""
        del units

    async def keep_environment(self, seconds: float) -> None:
        """Nothing is noted, as above."""
        del seconds

    async def switch_environment_back(self, id: str) -> None:
        self.check_stop()
        self._host.environments.switch_back(id)

    async def keep_debian_packages(self, changes: Sequence[DebianChange], *, action: str) -> Sequence[str]:
        self._note(f"keep {len(changes)} packages for {action}", "package:kept")
        ids = []
        for change in changes:
            path = f"/var/lib/zen-agents/packages/{change.name}.deb"
            self._host.files.add_file(path, f"{change.name} {change.installed}")
            ids.append(self._host.files.quarantine(path))
            self._host.debian.kept[ids[-1]] = (change.name, change.installed)
        return ids

    async def install_kept_packages(self, ids: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        del timeout_seconds
        self._note(f"install {len(ids)} kept packages", "package:kept")
        return self._host.debian.install_kept(tuple(ids))

    async def end_sessions(
        self, asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float
    ) -> Sequence[int]:
        del timeout_seconds
        self._note(f"end {len(sessions)} sessions of {asked.user}", f"pool:{asked.server}")
        return self._host.pools.end(asked, sessions)


def _table_of(asked: DataQuestion) -> str:
    """Return the resource that a question about a table is about."""
    resource = touched(contract_from_plain(json.loads(asked.request_json)["contract"]))
    return f"{resource.kind.value}:{resource.name}"
