"""The only thing that changes a Linux host: `LinuxControl`, one for each intent (ports.host.HostControl).

A control can be made before its intent is durable, so that spawning a child and writing the intent overlap: with
`LinuxControls.held` nothing passes until `release()`; children are there, but wait on a pipe, and `abort()` ends them.
The executor's order then is: held(intent); start `action.execute` as a task and let it run; store.reserve(); release().
Called as a plain factory, after the intent is durable, `LinuxControls` makes controls that are released already.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from zen_agents.adapters import linux_control_deleted, linux_control_processes, safe_files
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_control_services import ServiceControl
from zen_agents.adapters.linux_control_workers import WorkerControl
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.service_keeper import ServiceKeeper
from zen_agents.adapters.systemd_bus import BusError
from zen_agents.adapters.systemd_jobs import JobConnection, SystemdJobs
from zen_agents.clock import Clock
from zen_agents.model.action import Intent
from zen_agents.ports.host import Host
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import UnitJob
from zen_agents.store.failpoint import failpoint

if TYPE_CHECKING:
    from zen_agents.adapters.environment_stage import EnvironmentStages
    from zen_agents.adapters.linux_datasets import DataFilesChanged
    from zen_agents.adapters.linux_tables import TablesChanged
    from zen_agents.model.address import Network

_RESET_SECONDS = 20.0
#: How systemctl tells of a job that failed, and of one that failed for another unit's sake.
_JOB_FAILED, _DEPENDENCY_FAILED = re.compile(r"Job for \S+ failed"), re.compile(r"A dependency job for \S+ failed")


class LinuxControls:
    """Makes the control of each intent; holds what they share. One for an engine."""

    def __init__(
        self, host: Host, *, state_dir: str | Path, flag: EmergencyFlag, clock: Clock, systemd: SystemdJobs | None = None
    ) -> None:
        self.host, self.state_dir, self.flag, self._clock = host, Path(state_dir), flag, clock
        self.systemd = systemd or SystemdJobs()
        self.quarantine = Quarantine(self.state_dir / "quarantine", clock)
        self.keeper = ServiceKeeper(self.state_dir)

    def __call__(self, intent: Intent) -> LinuxControl:
        """Return the control of an intent that is durable already."""
        control = self.held(intent.id)
        control.release()
        return control

    def held(self, intent_id: str) -> LinuxControl:
        """Return a control through which nothing passes before its `release()`."""
        return LinuxControl(self, intent_id)

    def keep_files(self, seconds: float, most_bytes: int) -> None:
        """Keep files of the quarantine so long and of that size from now on, and drop what has had its time."""
        self.quarantine.keep_seconds, self.quarantine.most_bytes = seconds, most_bytes
        self.quarantine.drop_expired()

    @cached_property
    def stages(self) -> EnvironmentStages:
        """The stages of environments that are upgraded."""
        from zen_agents.adapters.environment_stage import EnvironmentStages  # noqa: PLC0415 - only hosts that list them

        return EnvironmentStages(self.state_dir, self.quarantine, self._clock)

    def data_files(self, go_on: Callable[[], None]) -> DataFilesChanged:
        """Return what changes files of data sets, asking at each piece whether to go on."""
        from zen_agents.adapters.linux_datasets import DataFilesChanged  # noqa: PLC0415 - only hosts that list data sets

        return DataFilesChanged(self.quarantine, go_on)

    def tables(self, go_on: Callable[[], None]) -> TablesChanged:
        """Return what changes rows of tables, asking at each piece whether to go on."""
        from zen_agents.adapters.linux_tables import TablesChanged  # noqa: PLC0415 - as above

        return TablesChanged(self.quarantine, self._clock, go_on)

    def close(self) -> None:
        """Let go of the services' processes, which go on; call in the loop."""
        self.keeper.close()


class LinuxControl(ServiceControl, WorkerControl):
    """Changes the host for one intent, which it knows by id; looks at the emergency stop before every change (R9, R36)."""

    async def restart_unit(self, name: str, *, timeout_seconds: float, fresh_limit: bool = False) -> UnitJob:
        try:
            return await self._asked(lambda systemd: systemd.restart(name, fresh_limit=fresh_limit), timeout_seconds)
        except BusError:
            if fresh_limit:
                await self.run(Command(("systemctl", "reset-failed", "--", name), timeout_seconds=_RESET_SECONDS))
            return await self._run_systemctl("restart", name, timeout_seconds)

    async def reload_unit(self, name: str, *, timeout_seconds: float) -> UnitJob:
        try:
            return await self._asked(lambda systemd: systemd.reload(name), timeout_seconds)
        except BusError:
            return await self._run_systemctl("reload", name, timeout_seconds)

    async def _asked(self, ask: Callable[[JobConnection], None], timeout_seconds: float) -> UnitJob:
        """Ask systemd for a job and wait for its end; BusError if nothing was asked."""
        with await self._shared.systemd.connect() as connection:
            await self._passed()
            # Nothing comes between: the call leaves before anybody else gets a turn.
            ask(connection)
            failpoint("executor.after_spawn")
            return await connection.ended(timeout_seconds)

    async def _run_systemctl(self, verb: str, name: str, timeout_seconds: float) -> UnitJob:
        """Have it done by systemctl, which may know a way to systemd that we do not."""
        return _job_of(await self.run(Command(("systemctl", verb, "--", name), timeout_seconds=timeout_seconds)))

    async def stop_process(self, process: Process, *, timeout_seconds: float) -> bool:
        await self._passed()
        look = self._shared.host.look
        return await linux_control_processes.stop(process, look, timeout_seconds=timeout_seconds)

    def signal(self, process: Process, number: int) -> None:
        self._pass()
        with linux_control_processes.held_process(process, self.view) as pidfd:
            linux_control_processes.send(pidfd, process, number)

    def renice(self, process: Process, nice: int) -> None:
        self._pass()
        with linux_control_processes.held_process(process, self.view):
            linux_control_processes.renice(process, nice)

    def truncate_descriptor(self, process: Process, descriptor: int, *, expected_path: str) -> int:
        self._pass()
        with linux_control_processes.held_process(process, self.view):
            return linux_control_deleted.truncate_deleted(process, descriptor, expected_path=expected_path)

    def set_kernel_setting(self, name: str, value: str, *, expected: str) -> None:
        from zen_agents.adapters.linux_kernel import write_setting  # noqa: PLC0415 - only where one is listed

        self._pass()
        write_setting(name, value, expected=expected)

    def open_directory(self, path: str) -> AbstractContextManager[DirectoryHandle]:
        self._pass()
        return safe_files.open_directory(path, go_on=self.check_stop, quarantine=self._shared.quarantine)

    async def limit_log_rate(self, unit: str, lines_per_second: int) -> None:
        from zen_agents.adapters import linux_control_journal as journal  # noqa: PLC0415 - only hosts that flood

        await self._gate.passed()
        await journal.limit(self, unit, lines_per_second)

    async def lift_log_rate(self, unit: str) -> None:
        from zen_agents.adapters import linux_control_journal as journal  # noqa: PLC0415 - as above

        await self._gate.passed()
        await journal.lift(self, unit)

    async def ban(self, network: Network, seconds: int) -> None:
        from zen_agents.adapters import linux_firewall  # noqa: PLC0415 - only hosts that ban

        await linux_firewall.ban(self, network, seconds)

    async def lift_ban(self, network: Network) -> None:
        from zen_agents.adapters import linux_firewall  # noqa: PLC0415 - as above

        await linux_firewall.lift(self, network)


def _job_of(result: CommandResult) -> UnitJob:
    """Return what systemctl said of a job in systemd's own word."""
    word = "done" if result.exit_code == 0 else "refused"
    if _JOB_FAILED.search(result.output):
        word = "failed"
    elif _DEPENDENCY_FAILED.search(result.output):
        word = "dependency"
    return UnitJob("" if result.timed_out else word, result.output, result.timed_out)
