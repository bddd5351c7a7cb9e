"""The control of a dry run: it can look, and it can change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NoReturn

from zen_agents.errors import RefusedError
from zen_agents.model.reason import Reason
from zen_agents.ports.host import Host, HostView
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import UnitJob

if TYPE_CHECKING:
    from zen_agents.model.address import Network
    from zen_agents.model.debian_upgrade import DebianChange
    from zen_agents.model.environment import Trial
    from zen_agents.model.pool import PoolQuestion, PoolSession
    from zen_agents.ports.host_datasets import DataQuestion
    from zen_agents.ports.host_files import FileState


class NullControl:
    """A `HostControl` that refuses everything with RefusedError; it holds nothing with which it could do otherwise."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def view(self) -> HostView:
        return self._host.look()

    def release(self) -> None:
        """Do nothing: there is nothing that waits."""

    def abort(self, why: str = "") -> None:
        """Do nothing: there is nothing to end."""
        del why

    def check_stop(self) -> None:
        _refuse("go on")

    async def run(self, command: Command) -> CommandResult:
        _refuse(f"run {command.argv[:1]}")

    async def restart_unit(self, name: str, *, timeout_seconds: float, fresh_limit: bool = False) -> UnitJob:
        del timeout_seconds, fresh_limit
        _refuse(f"restart {name}")

    async def reload_unit(self, name: str, *, timeout_seconds: float) -> UnitJob:
        del timeout_seconds
        _refuse(f"reload {name}")

    async def start_service(self, name: str, command: Command) -> Process:
        del command
        _refuse(f"start {name}")

    async def stop_process(self, process: Process, *, timeout_seconds: float) -> bool:
        del timeout_seconds
        _refuse(f"stop process {process.pid}")

    def signal(self, process: Process, number: int) -> None:
        _refuse(f"send signal {number} to process {process.pid}")

    def renice(self, process: Process, nice: int) -> None:
        _refuse(f"set the niceness of process {process.pid} to {nice}")

    def truncate_descriptor(self, process: Process, descriptor: int, *, expected_path: str) -> int:
        del descriptor, expected_path
        _refuse(f"truncate a file of process {process.pid}")

    async def end_sessions(
        self, asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float
    ) -> NoReturn:
        del timeout_seconds
        _refuse(f"end {len(sessions)} sessions of {asked.user}")

    async def keep_debian_packages(self, changes: Sequence[DebianChange], *, action: str) -> NoReturn:
        del action
        _refuse(f"keep the present versions of {len(changes)} packages")

    async def install_kept_packages(self, ids: Sequence[str], *, timeout_seconds: float) -> NoReturn:
        del timeout_seconds
        _refuse(f"install {len(ids)} kept packages")

    async def repair_data(
        self, asked: DataQuestion, expected: FileState, about: str, taken_to: str, *, action: str
    ) -> NoReturn:  # fmt: skip
        del asked, about, taken_to, action
        _refuse(f"repair {expected.path}")

    async def repair_table(self, asked: DataQuestion, about: str, taken_to: str, *, action: str) -> NoReturn:
        del about, taken_to, action
        _refuse(f"repair the table of {asked.dataset}")

    async def put_back_rows(self, asked: DataQuestion, id: str, *, action: str) -> NoReturn:
        del id, action
        _refuse(f"put rows of {asked.dataset} back")

    async def restore_data(self, expected: FileState, copy: FileState, *, action: str) -> NoReturn:
        del action
        _refuse(f"put {copy.path} in the place of {expected.path}")

    async def put_back_data(self, expected: FileState, id: str, *, action: str) -> NoReturn:
        del action
        _refuse(f"put {id} in the place of {expected.path}")

    async def try_environment(self, trial: Trial) -> NoReturn:
        _refuse(f"try an upgrade of {trial.environment.venv}")

    async def switch_environment(self) -> NoReturn:
        _refuse("switch an environment")

    async def restarting_on_environment(self, units: Sequence[str]) -> None:
        _refuse(f"restart {', '.join(units)}")

    async def keep_environment(self, seconds: float) -> None:
        _refuse(f"keep an environment for {seconds:g} s")

    async def switch_environment_back(self, id: str) -> None:
        _refuse(f"put back the environment that {id} replaced")

    async def ban(self, network: Network, seconds: int) -> None:
        _refuse(f"ban {network} for {seconds} s")

    async def lift_ban(self, network: Network) -> None:
        _refuse(f"lift the ban of {network}")

    async def limit_log_rate(self, unit: str, lines_per_second: int) -> None:
        _refuse(f"limit {unit} to {lines_per_second} lines a second")

    async def lift_log_rate(self, unit: str) -> None:
        _refuse(f"lift the limit of {unit}")

    def set_kernel_setting(self, name: str, value: str, *, expected: str) -> None:
        del expected
        _refuse(f"set {name} to {value}")

    def open_directory(self, path: str) -> AbstractContextManager[DirectoryHandle]:
        _refuse(f"open {path} for changes")


def _refuse(what: str) -> NoReturn:
    raise RefusedError(f"{Reason.DRY_RUN.sentence} It would {what}.")
