"""One look at a simulated host."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from chaos.simulation.network import NetworkQuestions
from chaos.simulation.world import SimulatedProcess, SimulatedWorld
from zen_agents.errors import HostError, ProcessGoneError
from zen_agents.jobs.table_repair import PutBack
from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen
from zen_agents.model.debian_upgrade import DebianLook, DebianQuestion, DebianTrial, DebianTried
from zen_agents.model.environment import Environment, Holding, Resolution, Wanted
from zen_agents.model.package_look import PackageLook, PackageQuestion
from zen_agents.model.plugin import PluginAnswer, plugin_answer
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_datasets import DataQuestion, RepairLook, SnapshotQuestion
from zen_agents.ports.host_files import FileState, KeptFile
from zen_agents.ports.host_last_good import KeptVersion
from zen_agents.ports.host_logs import CatchUp, Checkpoint, LogPiece, LogRequest
from zen_agents.ports.host_plugins import PluginCall
from zen_agents.ports.host_probes import HttpRequest, ProbeResult
from zen_agents.ports.host_process_use import Busy
from zen_agents.ports.host_processes import Process, by_parent
from zen_agents.ports.host_resources import CpuTimes, DiskUse, Memory, Mount, Pressure
from zen_agents.ports.host_units import Unit
from zen_agents.ports.time_answer import TimeAnswer

_T = TypeVar("_T")
_ENDED = "ZX"


class SimulatedView(NetworkQuestions):
    """Implements `ports.host.HostView`: what was seen once stays so for this look, failures too."""

    def __init__(self, host: SimulatedWorld) -> None:
        self._host = host
        self._seen: dict[Hashable, Any] = {}

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
        return self._once("file", lambda: self._host.files.states.get(_absolute(path)), path)

    def list_directory(self, path: str, *, limit: int = 100_000) -> Sequence[FileState]:
        return self._ask("list_directory", lambda: self._host.files.entries(_absolute(path))[:limit])

    def read_text(self, path: str, *, limit: int = 65536) -> str:
        return self._ask("read_text", lambda: self._host.files.read(_absolute(path), limit))

    def kept_file(self, id: str) -> KeptFile:
        return self._ask("kept_file", lambda: self._host.files.kept(id))

    def content(self, path: str) -> bytes | None:
        return self._ask("content", lambda: self._host.files.content(_absolute(path)))

    def content_end(self, path: str, limit: int) -> bytes | None:
        found = self._ask("content", lambda: self._host.files.content(_absolute(path)))
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

    def process(self, pid: int) -> Process | None:
        return self._once("process", lambda: self._present(pid), pid)

    def processes(self) -> Mapping[int, Process]:
        return self._once("processes", lambda: {pid: entry.process for pid, entry in self._host.processes.items()})

    def command_line(self, process: Process) -> tuple[str, ...]:
        entry = self._entry(process)
        return self._ask("command_line", lambda: entry.argv if entry else ())

    def executable(self, process: Process) -> str:
        entry = self._entry(process)
        return self._ask("executable", lambda: entry.executable if entry else "")

    def owner(self, process: Process) -> int:
        return self._ask("owner", lambda: self._required(process).owner)

    def cgroup(self, process: Process) -> str:
        return self._ask("cgroup", lambda: self._required(process).cgroup)

    def descriptors(self, process: Process) -> tuple[int, int]:
        return self._ask("descriptors", lambda: self._required(process).descriptors)

    def children(self) -> Mapping[int, Sequence[Process]]:
        return self._once("children", lambda: by_parent(self.processes()))

    def memory_limit(self, process: Process) -> int | None:
        return self._ask("memory_limit", lambda: self._required(process).memory_limit)

    def busy_processes(self, above_percent: float) -> Sequence[Busy]:
        return self._once("busy_processes", lambda: self._busy(above_percent), above_percent)

    def replaced_files(self, process: Process) -> Sequence[str]:
        entry = self._entry(process)
        return self._ask("replaced_files", lambda: entry.replaced if entry else ())

    def oom_kills(self) -> int:
        return self._ask("oom_kills", lambda: len(self._host.oom_victims))

    def oom_victims(self, most: int) -> Sequence[str]:
        return self._ask("oom_victims", lambda: self._host.oom_victims[-most:])

    def cpu_quota(self, cgroup: str) -> float | None:
        return self._ask("cpu_quota", lambda: self._host.cpu_quotas.get(cgroup))

    def can_limit_cpu(self) -> bool:
        return self._ask("can_limit_cpu", lambda: self._host.limits_cpu)

    def niceness(self, process: Process) -> int:
        return self._ask("niceness", lambda: self._required(process).niceness)

    def sleeps(self, process: Process) -> int:
        return self._ask("sleeps", lambda: self._required(process).sleeps)

    def service_process(self, name: str) -> Process | None:
        return self._once("service_process", lambda: self._recorded(name), name)

    def pidfile_process(self, path: str, *, user: str = "", executable: str = "") -> Process | None:
        key = (path, user, executable)
        return self._once("pidfile_process", lambda: self._by_pidfile(path, user, executable), key)

    def deleted_open_files(self) -> Sequence[tuple[Process, int, str, int]]:
        return self._once("deleted_open_files", self._deleted)

    def listeners(self, port: int) -> Sequence[int]:
        entries = self._host.processes.items()
        return self._once("listeners", lambda: sorted(pid for pid, entry in entries if port in entry.ports), port)

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

    def kernel_stack(self, process: Process) -> Sequence[str]:
        return self._ask("kernel_stack", lambda: self._host.stacks.get(process.pid, ()))

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

    def user_id(self, name: str) -> int:
        return self._ask("user_id", lambda: _id(name, self._host.accounts, "account"))

    def group_id(self, name: str) -> int:
        return self._ask("group_id", lambda: _id(name, self._host.groups, "group"))

    async def server_time(self, server: str, timeout_seconds: float) -> TimeAnswer:
        del timeout_seconds
        return self._ask("server_time", lambda: self._host.time_servers.get(server, TimeAnswer(False, "timeout")))

    async def tcp(
        self, host: str, port: int, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        del host, send
        return self._ask("tcp", lambda: self._probe(port, timeout_seconds, contains))

    async def unix_socket(
        self, path: str, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        del send
        return self._ask("unix_socket", lambda: self._probe(path, timeout_seconds, contains))

    async def http(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult:
        return self._ask("http", lambda: self._get(request, timeout_seconds))

    async def plugin(self, call: PluginCall) -> PluginAnswer:
        """Return what is written for the program; HostError if nothing is."""
        return self._ask("plugin", lambda: plugin_answer(*self._host.plugins[call.argv[0]]))

    async def certificate(self, asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
        del timeout_seconds
        return self._ask("certificate", lambda: self._host.certificates.look(asked))

    def certificate_file(self, asked: CertificateQuestion) -> Seen:
        return self._ask("certificate_file", lambda: self._host.certificates.in_file(asked))

    async def packages(self, asked: PackageQuestion, timeout_seconds: float) -> PackageLook:
        del timeout_seconds
        return self.packages_now(asked)

    def packages_now(self, asked: PackageQuestion) -> PackageLook:
        """Return what is written for the place; nothing could be told of any other."""
        nothing = PackageLook(untold=(f"{asked.place} is not there",))
        return self._ask("packages", lambda: self._host.packages.get(asked.place, nothing))

    def environment_upgrade(self, environment: Environment, wanted: Sequence[Wanted], timeout_seconds: float) -> Resolution:
        del timeout_seconds
        return self._ask("environment_upgrade", lambda: self._host.environments.resolve(environment, wanted))

    def environment_holding(self, venv: str) -> Holding:
        return self._ask("environment_holding", lambda: self._host.environments.holding(venv))

    def kept_environment(self, id: str) -> tuple[str, Holding]:
        return self._ask("kept_environment", lambda: self._host.environments.kept_holding(id))

    async def pool(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        return self.pool_now(asked, timeout_seconds)

    def pool_now(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        del timeout_seconds
        return self._ask("pool", lambda: self._host.pools.look(asked))

    async def check_data(self, asked: DataQuestion) -> str:
        return self._ask("check_data", lambda: self._host.datasets.get(asked.dataset, ""))

    async def look_at_repair(self, look: RepairLook) -> None:
        self._ask("look_at_repair", lambda: None)

    def repair_known(self, look: RepairLook) -> str:
        return self._ask("repair_known", lambda: self._found(look))

    def _found(self, look: RepairLook) -> str:
        dataset = look.asked.dataset
        if look.kind == "rows_back":
            return PutBack(rows=1, back=int((dataset, look.kept) not in self._host.kept_rows)).model_dump_json()
        return (self._host.tables if look.kind == "table" else self._host.repairs).get(dataset, "{}")

    def forget_repair(self, dataset: str) -> None:
        """Nothing is remembered here."""

    def failing_files_now(self, asked: DataQuestion) -> str:
        return self._ask("failing_files_now", lambda: self._host.failing_files.get(asked.dataset, "{}"))

    async def keep_snapshot(self, asked: SnapshotQuestion) -> bool:
        del asked
        return self._ask("keep_snapshot", lambda: False)

    def snapshots(self, dataset: str, path: str, directory: str) -> Sequence[FileState]:
        del dataset, path, directory
        return self._ask("snapshots", lambda: ())

    async def debian_packages(self, asked: DebianQuestion, timeout_seconds: float) -> DebianLook:
        del timeout_seconds
        return self.debian_packages_now(asked)

    def debian_packages_now(self, asked: DebianQuestion) -> DebianLook:
        return self._ask("debian_packages", lambda: self._host.debian.look(asked))

    async def debian_trial(self, asked: DebianTrial) -> DebianTried:
        return self._ask("debian_trial", lambda: self._host.debian.tried(asked.installs))

    # -- how it is found out ------------------------------------------------------------------------------------------
    def _present(self, pid: int) -> Process | None:
        entry = self._host.processes.get(pid)
        return entry.process if entry else None

    def _entry(self, process: Process) -> SimulatedProcess | None:
        entry = self._host.processes.get(process.pid)
        return entry if entry and entry.process.start_time == process.start_time else None

    def _required(self, process: Process) -> SimulatedProcess:
        entry = self._entry(process)
        if entry is None:
            raise ProcessGoneError(f"process {process.fingerprint} ({process.name}) is gone")
        return entry

    def _alive(self, pid: int) -> SimulatedProcess | None:
        entry = self._host.processes.get(pid)
        return None if entry is None or entry.process.state in _ENDED else entry

    def _busy(self, above_percent: float) -> Sequence[Busy]:
        now = self._host.clock.now().steady
        entries = [entry for entry in self._host.processes.values() if entry.busy[0] > above_percent]
        looked = self._host.busy_since_first_look
        return [
            Busy(entry.process, entry.busy[0], now - max(entry.busy[1], looked), entry.busy[1] <= looked)
            for entry in sorted(entries, key=lambda each: each.busy[1])
        ]

    def _recorded(self, name: str) -> Process | None:
        pid, start_time = self._host.records.get(name, (0, 0))
        entry = self._alive(pid)
        return entry.process if entry and entry.process.start_time == start_time else None

    def _by_pidfile(self, path: str, user: str, executable: str) -> Process | None:
        state = self._host.files.states.get(_absolute(path))
        if state is None:
            return None
        text = self._host.files.read(path, 128).strip().partition("\n")[0]
        if not text.isdigit():
            raise HostError(f"{path} holds no process number")
        if not (user and executable) and (state.owner != 0 or state.mode & 0o022):
            raise HostError(f"others can write {path}, so its pid counts only with user: and executable: given")
        entry = self._alive(int(text))
        if entry is None or (user and entry.owner != self.user_id(user)):
            return None
        return entry.process if not executable or entry.executable == executable else None

    def _deleted(self) -> list[tuple[Process, int, str, int]]:
        entries = self._host.processes.values()
        return [(entry.process, number, *held) for entry in entries for number, held in entry.deleted.items()]

    def _unit(self, name: str) -> Unit | None:
        service = self._host.service_of_unit(name if "." in name else f"{name}.service")
        return self._host.unit_state(service) if service and self._host.systemd else None

    def _needs(self, name: str) -> Sequence[tuple[str, str]]:
        service = self._host.service_of_unit(name)
        return [("Requires", other) for other in service.needs] if service else []

    def _probe(self, where: int | str, timeout_seconds: float, contains: bytes = b"") -> ProbeResult:
        service = self._host.answering(where)
        if service is None:
            return ProbeResult(False, "refused", "Connection refused", 0.0005)
        if service.hangs or service.answer_seconds > timeout_seconds:
            return ProbeResult(False, "timeout", f"no answer within {timeout_seconds:g} s", timeout_seconds)
        if contains not in service.body.encode():
            return ProbeResult(False, "bad_answer", "the answer does not contain the expected text", service.answer_seconds)
        return ProbeResult(True, "", "connected", service.answer_seconds)

    def _get(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult:
        url = urlsplit(request.url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise HostError(f"{request.url!r} is not an http or https URL")
        where = request.unix or url.port or (443 if url.scheme == "https" else 80)
        met, service = self._probe(where, timeout_seconds), self._host.answering(where)
        if not met.ok or service is None:
            return met
        status = service.http_status
        if status not in request.expect_status:
            return ProbeResult(False, "bad_status", f"status {status}", met.seconds, status)
        if request.contains not in service.body:
            return ProbeResult(False, "bad_answer", "the page does not contain the expected text", met.seconds, status)
        return ProbeResult(True, "", f"status {status}", met.seconds, status)

    def _ask(self, method: str, answer: Callable[[], _T]) -> _T:
        # A fault may answer with anything: that is its point.
        return cast(_T, self._host.faults.apply(method, answer))

    def _once(self, method: str, answer: Callable[[], _T], argument: Hashable = None) -> _T:
        key = (method, argument)
        if key not in self._seen:
            try:
                self._seen[key] = self._ask(method, answer)
            except HostError as error:
                self._seen[key] = error
        if isinstance(self._seen[key], HostError):
            raise type(self._seen[key])(str(self._seen[key])) from self._seen[key]
        return cast(_T, self._seen[key])


def _absolute(path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        raise HostError(f"{path!r} is not an absolute path")
    return path


def _id(name: str, known: Mapping[str, int], what: str) -> int:
    if name.isascii() and name.isdigit() and int(name) < 2**32 - 1:
        return int(name)
    if name not in known:
        raise HostError(f"there is no {what} {name!r} on this host")
    return known[name]
