"""Changes to a simulated host: the dictionaries, and a list of what was asked for."""

from __future__ import annotations

import asyncio
import signal as signals
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import PurePosixPath

from chaos.invariants import Deed
from chaos.simulation.directory import SimulatedDirectory, opened
from chaos.simulation.process import SimulatedProcess
from chaos.simulation.services import SimulatedService
from chaos.simulation.view import SimulatedView
from chaos.simulation.worker_changes import WorkerChanges
from chaos.simulation.world import SimulatedWorld
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.guards.base import StopFlag
from zen_agents.model.address import Network
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import UnitJob


class SimulatedControl(WorkerChanges):
    """Implements `ports.host.HostControl`, with the refusals of the real one that a simulation can have."""

    def __init__(
        self, host: SimulatedWorld, look: Callable[[], SimulatedView], *, action: str = "", stop: StopFlag | None = None
    ) -> None:
        self._host, self._look = host, look
        #: Whose door this is, and the emergency stop that its engine honours.
        self._action, self._stop = action, stop
        self._id = f"act-{len(host.doors)}"
        #: The emergency stop, as this control sees it.
        self.stopped = False

    @property
    def view(self) -> SimulatedView:
        return self._look()

    def check_stop(self) -> None:
        if self.stopped or (self._stop is not None and self._stop.read() is not None):
            raise RefusedError("The emergency stop is set.")

    async def run(self, command: Command) -> CommandResult:
        if not await self._take_time(command.timeout_seconds):
            return CommandResult(-1, "", True, command.timeout_seconds)
        self._note(f"run {' '.join(command.argv)}", f"unit:{command.argv[-1]}")
        program = self._host.programs.get(command.argv[0])
        if program is not None:
            return program(command)
        if command.argv[0] in ("apt-get", "apt-mark", "dpkg"):
            return self._host.debian.run(command)
        if PurePosixPath(command.argv[0]).name == "systemctl" and self._host.systemd:
            return self._systemctl([word for word in command.argv[1:] if not word.startswith("-")])
        return CommandResult(127, f"{command.argv[0]}: not found", False, 0.0)

    async def restart_unit(self, name: str, *, timeout_seconds: float, fresh_limit: bool = False) -> UnitJob:
        if not await self._take_time(timeout_seconds):
            return UnitJob("", timed_out=True)
        if fresh_limit and (limited := self._host.service_of_unit(name)) is not None:
            self._note(f"reset the start limit of {name}", f"unit:{name}")
            limited.started_at.clear()
        return self._job("restart", name)

    async def reload_unit(self, name: str, *, timeout_seconds: float) -> UnitJob:
        if not await self._take_time(timeout_seconds):
            return UnitJob("", timed_out=True)
        return self._job("reload", name)

    def _job(self, verb: str, name: str) -> UnitJob:
        self._note(f"{verb} {name}", f"unit:{name}")
        if self._host.job_ends is not None:
            return self._host.job_ends
        service = self._host.service_of_unit(name)
        if service is None:
            return UnitJob("refused", f"Unit {name} not found.")
        return UnitJob("done" if self._do(verb, service) else "failed")

    async def _take_time(self, timeout_seconds: float) -> bool:
        """Take as long as commands take now; False if that is too long, and nothing is done then."""
        self.check_stop()
        if self._host.action_seconds:
            await asyncio.sleep(min(self._host.action_seconds, timeout_seconds))
        return self._host.action_seconds <= timeout_seconds

    async def start_service(self, name: str, command: Command) -> Process:
        self._note(f"start {name}", f"service:{name}")
        if not self._host.start(name):
            raise ActionFailedError(f"{command.argv[0]} ended at once")
        return self._host.processes[self._host.services[name].pid].process

    async def stop_process(self, process: Process, *, timeout_seconds: float) -> bool:
        self._note(f"stop process {process.pid}", self._resource_of(process))
        entry = self._same(process)
        if entry.ignores_term:
            self._host.advance(timeout_seconds)
        self._end(process.pid)
        return True

    def signal(self, process: Process, number: int) -> None:
        self._note(f"signal {number} to process {process.pid}", self._resource_of(process))
        entry = self._same(process)
        if number == signals.SIGKILL or (number == signals.SIGTERM and not entry.ignores_term):
            self._end(process.pid)

    def renice(self, process: Process, nice: int) -> None:
        self._note(f"set niceness of process {process.pid} to {nice}", self._resource_of(process))
        self._same(process).niceness = nice

    def truncate_descriptor(self, process: Process, descriptor: int, *, expected_path: str) -> int:
        self._note(f"truncate {expected_path} of process {process.pid}", f"path:{expected_path}")
        held = self._same(process).deleted
        path, size = held.get(descriptor, ("", 0))
        if path != expected_path:
            raise StalePlanError(f"descriptor {descriptor} is not {expected_path}")
        held[descriptor] = path, 0
        self._host.files.disk_of(path).foreign_bytes -= size
        return size

    async def limit_log_rate(self, unit: str, lines_per_second: int) -> None:
        self._note(f"limit {unit} to {lines_per_second} lines a second", f"unit:{unit}")
        self._host.journal.limit(unit, lines_per_second)

    async def ban(self, network: Network, seconds: int) -> None:
        self._note(f"ban {network} for {seconds} s", f"address:{network}")
        now = self._host.clock.now().steady
        self._host.network.ban(network, now + seconds, now)

    async def lift_ban(self, network: Network) -> None:
        self._note(f"lift the ban of {network}", f"address:{network}")
        self._host.network.lift_ban(network, self._host.clock.now().steady)

    async def lift_log_rate(self, unit: str) -> None:
        self._note(f"lift the limit of {unit}", f"unit:{unit}")
        self._host.journal.lift(unit)

    def set_kernel_setting(self, name: str, value: str, *, expected: str) -> None:
        self._note(f"set {name} to {value}", f"path:/proc/sys/{name.replace('.', '/')}")
        if self._host.kernel_settings.get(name) != expected:
            raise StalePlanError(f"{name} is not {expected!r}")
        self._host.kernel_settings[name] = value

    def open_directory(self, path: str) -> AbstractContextManager[SimulatedDirectory]:
        self.check_stop()
        return opened(self._host, self, path)

    def note(self, change: str, path: str) -> None:
        """Write a change of a path down, unless the emergency stop forbids it."""
        self._note(change, f"path:{path}")

    def _note(self, change: str, resource: str) -> None:
        self.check_stop()
        self._host.settle()
        self._host.changes.append(change)
        self._host.deeds.append(Deed(resource, self._action))

    def _resource_of(self, process: Process) -> str:
        service = self._host.service_of_process(process.pid)
        return f"service:{service.name}" if service else f"process:{process.fingerprint}"

    def _same(self, process: Process) -> SimulatedProcess:
        entry = self._host.processes.get(process.pid)
        if entry is None or entry.process.start_time != process.start_time:
            raise StalePlanError(f"process {process.fingerprint} is gone")
        return entry

    def _end(self, pid: int) -> None:
        service = self._host.service_of_process(pid)
        if service is not None:
            self._host.stop(service.name)
        else:
            self._host.end_process(pid)

    def _systemctl(self, words: Sequence[str]) -> CommandResult:
        verb, *units = words
        if verb == "daemon-reload":
            self._host.unread_units.clear()
        if verb == "set-property":
            return self._set_quota(*units)
        for unit in units:
            service = self._host.service_of_unit(unit)
            if service is None:
                return CommandResult(5, f"Unit {unit} not found.", False, 0.0)
            if not self._do(verb, service):
                return CommandResult(1, f"Job for {unit} failed.", False, 0.0)
        return CommandResult(0, "", False, 0.0)

    def _set_quota(self, unit: str, setting: str) -> CommandResult:
        service, quota = self._host.service_of_unit(unit), setting.removeprefix("CPUQuota=")
        if service is None:
            return CommandResult(1, f"Unit {unit} not found.", False, 0.0)
        self._host.cpu_quotas.pop(f"/system.slice/{unit}", None)
        if quota:
            self._host.cpu_quotas[f"/system.slice/{unit}"] = float(quota.removesuffix("%"))
        return CommandResult(0, "", False, 0.0)

    def _do(self, verb: str, service: SimulatedService) -> bool:
        if verb == "reload":
            self._host.certificates.reload(service.unit)
            return service.pid > 0
        if verb in ("stop", "restart"):
            self._host.stop(service.name)
        return self._host.start(service.name) if verb in ("start", "restart") else verb == "stop"
