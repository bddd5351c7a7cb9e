"""One look at a simulated host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chaos.simulation.asking import absolute
from chaos.simulation.network import NetworkQuestions
from chaos.simulation.probe_questions import ProbeQuestions
from chaos.simulation.process_questions import ProcessQuestions
from chaos.simulation.worker_questions import WorkerQuestions
from zen_agents.errors import HostError
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_files import FileState, KeptFile
from zen_agents.ports.host_last_good import KeptVersion
from zen_agents.ports.host_logs import CatchUp, Checkpoint, LogPiece, LogRequest
from zen_agents.ports.host_resources import CpuTimes, DiskUse, Memory, Mount, Pressure
from zen_agents.ports.host_units import Unit


class SimulatedView(NetworkQuestions, ProcessQuestions, ProbeQuestions, WorkerQuestions):
    """Implements `ports.host.HostView`: what was seen once stays so for this look, failures too."""

    def cpu_times(self) -> CpuTimes:
        return self._once("cpu_times", self._host.cpu_times)

    def load(self) -> tuple[float, float, float]:
        return self._once("load", lambda: self._host.load)

    def memory(self) -> Memory:
        return self._once("memory", lambda: self._host.memory)

    def pressure(self, resource: str) -> Pressure | None:
        if resource not in ("cpu", "memory", "io"):
            raise HostError(f"no such pressure: {resource!r}")
        return self._once("pressure", lambda: self._host.pressure.get(resource), resource)

    def mounts(self) -> Sequence[Mount]:
        return self._once("mounts", self._host.files.mounts)

    def disk_use(self, path: str) -> DiskUse:
        return self._once("disk_use", lambda: self._host.files.disk_use(path), path)

    def file(self, path: str) -> FileState | None:
        return self._once("file", lambda: self._host.files.states.get(absolute(path)), path)

    def list_directory(self, path: str, *, limit: int = 100_000) -> Sequence[FileState]:
        return self._ask("list_directory", lambda: self._host.files.entries(absolute(path))[:limit])

    def read_text(self, path: str, *, limit: int = 65536) -> str:
        return self._ask("read_text", lambda: self._host.files.read(absolute(path), limit))

    def no_room_to_keep(self, size: int) -> str:
        del size
        return self._ask("no_room_to_keep", lambda: "")

    def kept_file(self, id: str) -> KeptFile:
        return self._ask("kept_file", lambda: self._host.files.kept(id))

    def content(self, path: str) -> bytes | None:
        return self._ask("content", lambda: self._host.files.content(absolute(path)))

    def content_end(self, path: str, limit: int) -> bytes | None:
        found = self._ask("content", lambda: self._host.files.content(absolute(path)))
        return found if found is None or len(found) <= limit else found[-limit:].partition(b"\n")[2]

    def kept_content(self, id: str) -> bytes:
        return self._ask("kept_content", lambda: self._host.files.kept_content(id))

    def test_configuration(self, command: Command) -> CommandResult:
        return self._ask("test_configuration", lambda: self._host.programs[command.argv[0]](command))

    def last_good(self, service: str) -> Sequence[KeptVersion]:
        return self._ask("last_good", lambda: self._host.last_good.get(service, ()))

    def last_good_content(self, version: KeptVersion) -> bytes:
        return self._ask("last_good_content", lambda: self._host.good_contents[version.sha256])

    def keep_last_good(self, service: str, contents: Mapping[str, bytes], kept_at: str) -> None:
        self._ask("keep_last_good", lambda: self._host.keep_last_good(service, contents, kept_at))

    def kernel_setting(self, name: str) -> str | None:
        return self._ask("kernel_setting", lambda: self._host.kernel_settings.get(name))

    def has_systemd(self) -> bool:
        return self._host.systemd

    def system_state(self) -> str:
        return self._once("system_state", lambda: self._host.system_word if self._host.systemd else "")

    def unit(self, name: str) -> Unit | None:
        return self._once("unit", lambda: self._unit(name), name)

    def unit_needs(self, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        return self._ask("unit_needs", lambda: {name: self._needs(name) for name in names if self._host.systemd})

    def journal_entries(self) -> int:
        return self._once("journal_entries", self._host.journal.entries)

    def journal_share(self, most: int) -> Mapping[str, int]:
        return self._ask("journal_share", lambda: self._host.journal.share(most))

    def log_limit(self, unit: str) -> int | None:
        return self._ask("log_limit", lambda: self._host.journal.limits.get(unit))

    def new_lines(self, request: LogRequest, checkpoint: Checkpoint | None) -> LogPiece:
        return self._ask("new_lines", lambda: self._host.logs.new_lines(request, checkpoint))

    def begin_catch_up(self, name: str, request: LogRequest, checkpoint: Checkpoint | None, job: str) -> None:
        raise HostError(f"no worker runs on a simulated host ({name})")

    def catch_up(self, name: str) -> CatchUp | None:
        return None

    def file_system_errors(self, mount: Mount) -> Sequence[str]:
        return self._ask("file_system_errors", lambda: self._host.disk_errors.get(mount.path, ()))

    def unit_file_pending(self, unit: str) -> bool:
        return self._ask("unit_file_pending", lambda: unit in self._host.unread_units)

    def package_transaction(self) -> str:
        return self._once("package_transaction", lambda: self._host.package_manager)

    def configuration_run(self) -> str:
        return self._once("configuration_run", lambda: self._host.configuration_manager)

    def leaving(self, marks: Sequence[str]) -> str:
        return self._ask("leaving", lambda: next((mark for mark in marks if mark in self._host.files.states), ""))

    def cloud_init_pending(self) -> bool:
        return self._once("cloud_init_pending", lambda: self._host.cloud_init)

    def boot_seconds(self) -> float:
        return self._ask("boot_seconds", lambda: self._host.boot_seconds)

    def machine_id(self) -> str:
        return self._ask("machine_id", lambda: self._host.machine)

    def _unit(self, name: str) -> Unit | None:
        service = self._host.service_of_unit(name if "." in name else f"{name}.service")
        return self._host.unit_state(service) if service and self._host.systemd else None

    def _needs(self, name: str) -> Sequence[tuple[str, str]]:
        service = self._host.service_of_unit(name)
        return [("Requires", other) for other in service.needs] if service else []
