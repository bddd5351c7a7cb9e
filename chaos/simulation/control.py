"""Changes to a simulated host: the dictionaries, and a list of what was asked for."""

from __future__ import annotations

import asyncio
import signal as signals
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import PurePosixPath

from chaos.invariants import Deed
from chaos.simulation.view import SimulatedView
from chaos.simulation.world import SimulatedProcess, SimulatedService, SimulatedWorld
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.guards.base import StopFlag
from zen_agents.jobs.data_repair import Replaced
from zen_agents.jobs.table_repair import PutBack, TableChanged
from zen_agents.model.address import Network
from zen_agents.model.debian_upgrade import DebianChange
from zen_agents.model.environment import Switched, Trial, TrialReport
from zen_agents.model.pool import PoolQuestion, PoolSession
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_datasets import DataQuestion
from zen_agents.ports.host_files import FileState
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import UnitJob
from zen_agents.ports.log_archives import PACKED, Packing


class SimulatedControl:
    """Implements `ports.host.HostControl`, with the refusals of the real one that a simulation can have."""

    def __init__(
        self, host: SimulatedWorld, look: Callable[[], SimulatedView], *, action: str = "", stop: StopFlag | None = None
    ) -> None:
        self._host, self._look = host, look
        #: Whose door this is, and the emergency stop that its engine honours.
        self._action, self._stop = action, stop
        #: By which what it does to an environment is known.
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
        self._note(f"restart {name}", f"unit:{name}")
        if self._host.job_ends is not None:
            return self._host.job_ends
        service = self._host.service_of_unit(name)
        if service is None:
            return UnitJob("refused", f"Unit {name} not found.")
        return UnitJob("done" if self._do("restart", service) else "failed")

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

    async def repair_data(
        self, asked: DataQuestion, expected: FileState, about: str, taken_to: str, *, action: str
    ) -> str:  # fmt: skip
        del asked, about, taken_to
        return self._replaced(expected, b"repaired", action)

    async def repair_table(self, asked: DataQuestion, about: str, taken_to: str, *, action: str) -> str:
        del taken_to
        self._note(f"repair the table of {asked.dataset}", f"dataset:{asked.dataset}")
        id = f"q-{len(self._host.kept_rows):024x}"
        self._host.kept_rows[asked.dataset, id] = self._host.tables.pop(asked.dataset)
        return TableChanged(kept=id).model_dump_json()

    async def put_back_rows(self, asked: DataQuestion, id: str, *, action: str) -> str:
        del action
        self._note(f"put rows of {asked.dataset} back", f"dataset:{asked.dataset}")
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

    async def end_sessions(
        self, asked: PoolQuestion, sessions: Sequence[PoolSession], *, timeout_seconds: float
    ) -> Sequence[int]:
        del timeout_seconds
        self._note(f"end {len(sessions)} sessions of {asked.user}", f"pool:{asked.server}")
        return self._host.pools.end(asked, sessions)

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
        return _opened(self._host, self, path)

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


class SimulatedDirectory:
    """Implements `ports.host_directories.DirectoryHandle`."""

    def __init__(self, host: SimulatedWorld, control: SimulatedControl, path: str) -> None:
        self._files = host.files
        self._host = host
        self._control = control
        self._staged = 0
        self.path = path

    def directory(self) -> FileState:
        return self._files.states[self.path]

    def entries(self) -> Sequence[FileState]:
        return self._files.entries(self.path)

    def is_in_place(self) -> bool:
        return self.path in self._files.states

    def in_use(self, expected: FileState) -> bool:
        self._file(expected)
        return False

    def enter(self, name: str) -> AbstractContextManager[SimulatedDirectory]:
        return _opened(self._host, self._control, self._join(name), device=self._files.states[self.path].device)

    def remove(self, expected: FileState) -> None:
        self._change("remove", self._file(expected))
        self._files.remove(expected.path)

    def remove_directory(self, expected: FileState) -> None:
        self._expected(expected)
        if self._files.entries(expected.path):
            raise StalePlanError(f"{expected.path} is not empty")
        self._change("remove directory", expected)
        self._files.remove(expected.path)

    def rename(self, expected: FileState, new_name: str) -> None:
        new = self._free(new_name)
        self._change(f"rename to {new_name}", self._expected(expected))
        self._files.rename(expected.path, new)

    def create_directory(self, name: str, *, mode: int, owner: int, group: int) -> None:
        path = self._free(name)
        self._control.note(f"create directory {path}", path)
        self._files.add_directory(path, mode=mode, owner=owner, group=group)
        self._tell(path)

    def set_mode_and_owner(self, expected: FileState, *, mode: int | None, owner: int | None, group: int | None) -> None:
        given = {"mode": mode, "owner": owner, "group": group}
        self._change("set mode and owner", self._expected(expected))
        self._files.change(expected.path, **{key: value for key, value in given.items() if value is not None})

    def truncate(self, expected: FileState, *, to: int = 0) -> None:
        self._change("truncate", self._expected(expected))
        self._files.contents[expected.path] = self._files.contents.get(expected.path, "")[:to]
        self._files.change(expected.path, size=to)

    def copy_out(self, expected: FileState, new_name: str, *, compress: bool = False) -> int:
        new = self._free(new_name)
        found = self._expected(expected)
        self._change(f"copy to {new_name}", found)
        size = found.size // 10 if compress else found.size
        content = self._files.contents.get(found.path, "")
        self._files.add_file(new, content, size=size, mode=found.mode, owner=found.owner, group=found.group)
        return found.size

    def compress(self, expected: FileState, packing: Packing = "gzip") -> int:
        found = self._file(expected)
        name = PurePosixPath(found.path).name + PACKED[packing]
        self.copy_out(found, name, compress=True)
        self._files.remove(found.path)
        return self._files.change(self._join(name), modified=found.modified).size

    def quarantine(self, expected: FileState, *, action: str) -> str:
        self._change(f"quarantine for {action}", self._file(expected))
        return self._files.quarantine(expected.path)

    def give_back(self, id: str, name: str) -> FileState:
        new, kept = self._free(name), self._files.kept(id)
        self._control.note(f"give back {new}", new)
        self._files.give_back(kept, new)
        self._tell(new)
        return self._files.states[new]

    def stage(self, content: bytes, like: FileState) -> FileState:
        self._control.check_stop()
        self._staged += 1
        # The directory may have been closed and opened again since.
        while (path := self._join(f".staged-{self._staged}")) in self._files.states:
            self._staged += 1
        return self._files.add_file(path, content.decode(), mode=like.mode & 0o777, owner=like.owner, group=like.group)

    def swap(self, candidate: FileState, expected: FileState | None, name: str, *, action: str) -> str:
        new = self._join(name)
        kept = self.quarantine(expected, action=action) if expected is not None else ""
        if not kept:
            self._control.note(f"put {new}", self._free(name))
        self._files.rename(candidate.path, new)
        self._tell(new)
        return kept

    def discard(self, candidate: FileState) -> None:
        self._files.remove(candidate.path)

    def _expected(self, expected: FileState) -> FileState:
        found = self._files.states.get(expected.path)
        if str(PurePosixPath(expected.path).parent) != self.path:
            raise UnsafePathError(f"{expected.path} is not in {self.path}")
        if found is None or (found.inode, found.modified, found.size) != (expected.inode, expected.modified, expected.size):
            raise StalePlanError(f"{expected.path} has changed since it was seen")
        return found

    def _file(self, expected: FileState) -> FileState:
        found = self._expected(expected)
        if found.kind != "file" or found.links != 1:
            raise UnsafePathError(f"{found.path} is not a regular file with one link")
        return found

    def _free(self, name: str) -> str:
        path = self._join(name)
        if path in self._files.states:
            raise StalePlanError(f"{path} is there already")
        return path

    def _join(self, name: str) -> str:
        if not name or "/" in name or name in (".", ".."):
            raise UnsafePathError(f"{name!r} is not the plain name of a file")
        return f"{self.path.rstrip('/')}/{name}"

    def _change(self, what: str, state: FileState) -> None:
        self._control.note(f"{what} {state.path}", state.path)
        self._tell(state.path)

    def _tell(self, path: str) -> None:
        self._host.events.tell(f"path:{path}", "inotify")


@contextmanager
def _opened(
    host: SimulatedWorld, control: SimulatedControl, path: str, device: int | None = None
) -> Iterator[SimulatedDirectory]:
    state = host.files.states.get(path)
    if state is None:
        raise StalePlanError(f"{path} is not there")
    if state.kind != "directory" or (device is not None and state.device != device):
        raise UnsafePathError(f"{path} is a link, another mount or no directory")
    yield SimulatedDirectory(host, control, path)
