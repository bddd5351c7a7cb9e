"""What a simulated host is made of: processes, services, faults, and what happens to them as time passes."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chaos.invariants import Deed
from chaos.simulation.certificates import SimulatedCertificates
from chaos.simulation.debian import SimulatedDebian
from chaos.simulation.environments import SimulatedEnvironments
from chaos.simulation.events import SimulatedEvents
from chaos.simulation.files import SimulatedFiles
from chaos.simulation.journal import SimulatedJournal
from chaos.simulation.logs import SimulatedLogs
from chaos.simulation.loop import HungError, VirtualThread
from chaos.simulation.network import SimulatedNetwork
from chaos.simulation.pools import SimulatedPools
from zen_agents.clock import Instant, ManualClock
from zen_agents.errors import HostError
from zen_agents.model.package_look import PackageLook
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_last_good import KeptVersion
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_resources import CpuTimes, Memory, Pressure
from zen_agents.ports.host_units import Unit, UnitJob
from zen_agents.ports.time_answer import TimeAnswer

TICKS_A_SECOND = 100
BOOTED_SECONDS_AGO = 86_400.0


@dataclass(slots=True)
class SimulatedProcess:
    """A process with all that a view tells of it."""

    process: Process
    argv: tuple[str, ...]
    executable: str
    owner: int = 0
    cgroup: str = "/system.slice"
    descriptors: tuple[int, int] = (8, 1024)
    #: Deleted files it holds open: descriptor -> (former path, bytes).
    deleted: dict[int, tuple[str, int]] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    memory_limit: int | None = None
    #: What it uses of a CPU (percent), and since which steady second.
    busy: tuple[float, float] = (0.0, 0.0)
    niceness: int = 0
    #: How often it has gone to sleep by itself.
    sleeps: int = 1
    #: Libraries it runs with that were replaced since.
    replaced: tuple[str, ...] = ()
    ignores_term: bool = False


@dataclass(slots=True)
class SimulatedService:
    """A service and how it behaves; change a field and it behaves so from its next start on."""

    name: str
    #: systemd's name; "" for a service that a command starts.
    unit: str = ""
    #: Argument list that starts it, where no unit does.
    command: tuple[str, ...] = ()
    pidfile: str = ""
    port: int = 0
    #: Path of the unix socket that it listens on.
    socket: str = ""
    #: From start to answering.
    start_seconds: float = 0.0
    #: Ends by itself so long after each start; None: lives on.
    crashes_after_seconds: float | None = None
    #: Starting it fails.
    refuses_to_start: bool = False
    #: Alive, but answers nobody.
    hangs: bool = False
    ignores_term: bool = False
    http_status: int = 200
    body: str = "ok"
    answer_seconds: float = 0.001
    #: systemd's limiter.
    start_limit_burst: int = 5
    start_limit_interval_seconds: float = 10.0
    takes_along: tuple[str, ...] = ()
    #: Units that it requires.
    needs: tuple[str, ...] = ()
    enabled: bool = True
    pid: int = 0
    answers_at: float = 0.0
    crashes_at: float | None = None
    active_state: str = "inactive"
    result: str = "success"
    changed_us: int = 0
    #: When it last ceased to be active, and its main process ended, as systemd tells.
    left_active_us: int = 0
    main_exit_us: int = 0
    runs: int = 0
    restarts: int = 0
    started_at: list[float] = field(default_factory=list)


class Faults:
    """What goes wrong with the looking itself, by the name of the view's method."""

    def __init__(self) -> None:
        self._faults: dict[str, tuple[Callable[[], Any], int]] = {}
        #: Methods that never come back.
        self.stalled: set[str] = set()

    def fail(self, method: str, why: str = "simulated failure", *, times: int = 1_000_000) -> None:
        """Let the next calls raise HostError."""

        def fail() -> None:
            raise HostError(f"{method}: {why}")

        self._faults[method] = fail, times

    def answer(self, method: str, garbage: object, *, times: int = 1_000_000) -> None:
        """Let the next calls return this, whatever the host is like."""
        self._faults[method] = (lambda: garbage), times

    def hang(self, method: str, *, give_up_seconds: float = 30.0) -> threading.Event:
        """Let calls block their thread until the returned event is set; then they raise HostError."""
        released = threading.Event()

        def hang() -> None:
            released.wait(give_up_seconds)
            raise HostError(f"{method}: hung until it was released")

        self._faults[method] = hang, 1_000_000
        return released

    def stall(self, method: str) -> None:
        """Let calls from a virtual thread never come back, and others time out."""

        def stall() -> None:
            if VirtualThread.working:
                raise HungError
            raise HostError(f"{method}: no answer in time")

        self.stalled.add(method)
        self._faults[method] = stall, 1_000_000

    def heal(self, method: str = "") -> None:
        """End the faults of one method, or all."""
        if method:
            self._faults.pop(method, None)
            self.stalled.discard(method)
        else:
            self._faults.clear()
            self.stalled.clear()

    def apply(self, method: str, answer: Callable[[], Any]) -> Any:
        """Return the method's answer, or what the fault makes of it."""
        if not self._faults:
            return answer()
        fault, times = self._faults.get(method, (answer, 0))
        if times == 1:
            del self._faults[method]
        elif times:
            self._faults[method] = fault, times - 1
        return fault()


class SimulatedWorld:
    """The dictionaries, and the rules by which they change.

    What happens by itself (starts, crashes, growth) happens when time is advanced or somebody looks.
    """

    def __init__(self, clock: ManualClock | None = None, *, seed: int = 0, systemd: bool = True) -> None:
        self.clock = clock or ManualClock(datetime(2026, 1, 4, 3, 20, tzinfo=UTC), steady=1_000_000.0)
        self._began = self.clock.now().steady
        self.random = random.Random(seed)
        self.files = SimulatedFiles(self.clock)
        self.journal = SimulatedJournal(self.clock)
        self.logs = SimulatedLogs(self.files)
        #: Program of a monitoring plugin -> its exit status and output.
        self.plugins: dict[str, tuple[int, str]] = {}
        self.debian = SimulatedDebian()
        self.pools = SimulatedPools(lambda: self.clock.now().steady)
        self.certificates = SimulatedCertificates(self.files.contents)
        self.environments = SimulatedEnvironments()
        #: Place -> what is known of its packages.
        self.packages: dict[str, PackageLook] = {}
        self.events = SimulatedEvents()
        self.faults = Faults()
        self.systemd = systemd
        self.system_word = "running"
        self.processes: dict[int, SimulatedProcess] = {}
        self.services: dict[str, SimulatedService] = {}
        #: Name -> (pid, start time), as `start_service` records it.
        self.records: dict[str, tuple[int, int]] = {}
        self.accounts = {"root": 0, "nobody": 65534, "web": 1000}
        self.groups = {"root": 0, "nogroup": 65534, "web": 1000}
        #: Programs that `run` knows beside systemctl and the services' own commands, by argv[0].
        self.programs: dict[str, Callable[[Command], CommandResult]] = {}
        self.network = SimulatedNetwork()
        self.kernel_settings: dict[str, str] = {}
        #: Service -> its last good configuration, and the contents of all of them by hash.
        self.last_good: dict[str, tuple[KeptVersion, ...]] = {}
        self.good_contents: dict[str, bytes] = {}
        #: Functions of the kernel that a process hangs in, by pid, and what the kernel said of a mount's disk.
        self.stacks: dict[int, tuple[str, ...]] = {}
        #: What each time server says.
        self.time_servers: dict[str, TimeAnswer] = {}
        self.disk_errors: dict[str, tuple[str, ...]] = {}
        self._next_pid = 100
        self._hold_data()
        self._give_room(self._began)
        self._leave_alone()
        self._await_changes()
        self.add_process("systemd" if systemd else "init", pid=1, parent=0)

    def _hold_data(self) -> None:
        """Know of no data set yet; what workers would say of them is told by their names."""
        #: What a worker would answer about a data set.
        self.datasets: dict[str, str] = {}
        #: What a worker says of a repair.
        self.repairs: dict[str, str] = {}
        #: What a look at a table says, and what was kept of rows: (data set, id) -> that.
        self.tables: dict[str, str] = {}
        self.kept_rows: dict[tuple[str, str], str] = {}
        #: What a worker says of which files fail.
        self.failing_files: dict[str, str] = {}

    def _give_room(self, now: float) -> None:
        """Give it resources enough, and little use of them."""
        self.memory = Memory(8 << 30, 6 << 30, 2 << 30, 2 << 30)
        self.load = (0.1, 0.1, 0.1)
        #: Cgroup -> percent of a CPU that it may use, and whether the kernel can limit that at all.
        self.cpu_quotas: dict[str, float] = {}
        #: Steady time of the first look at who is busy: what was before nobody saw.
        self.busy_since_first_look = float("-inf")
        self.limits_cpu = True
        #: Whom the kernel ended for want of memory.
        self.oom_victims: list[str] = []
        self.cpus = 4.0
        self.pressure: dict[str, Pressure] = {name: Pressure(0, 0, 0, 0, 0, 0) for name in ("cpu", "memory", "io")}
        self._busy_seconds = 0.0
        self._busy_share = 0.1
        self._busy_since = now

    def _leave_alone(self) -> None:
        """Let nobody else work on the host."""
        #: Units whose files systemd has not read yet.
        self.unread_units: set[str] = set()
        self.package_manager = ""
        self.configuration_manager = ""
        self.cloud_init = False
        self.machine = "0123456789abcdef0123456789abcdef"

    def _await_changes(self) -> None:
        """Be ready to keep what the engine does, and how."""
        #: How systemd's next jobs end, whatever becomes of their units; None: as it comes.
        self.job_ends: UnitJob | None = None
        #: Every change that was asked for through a control, in order: `restart web.service`.
        self.changes: list[str] = []
        #: The same as the oracle reads them, and the actions for which a control was handed out.
        self.deeds: list[Deed] = []
        self.doors: list[str] = []
        #: How long a command takes before its effect shows.
        self.action_seconds = 0.0
        #: The kernel's id of this boot.
        self.boot = "boot-1"

    def keep_last_good(self, service: str, contents: Mapping[str, bytes], kept_at: str) -> None:
        """Keep files as a service's last good configuration."""
        kept = []
        for path, content in contents.items():
            state, digest = self.files.states[path], hashlib.sha256(content).hexdigest()
            self.good_contents[digest] = content
            kept.append(KeptVersion(path, digest, state.mode, state.owner, state.group, kept_at))
        self.last_good[service] = tuple(kept)

    # -- time ---------------------------------------------------------------------------------------------------------
    def advance(self, seconds: float) -> Instant:
        """Let time pass, and with it happen what is due."""
        self.clock.advance(seconds)
        self.settle()
        return self.clock.now()

    def settle(self) -> None:
        """Let everything happen that is due by now."""
        for service in self.services.values():
            if service.crashes_at is not None and self.clock.now().steady >= service.crashes_at:
                self.crash(service.name)

    @property
    def boot_seconds(self) -> float:
        """Seconds since the simulated boot."""
        return self.clock.now().steady - self._began + BOOTED_SECONDS_AGO

    def reboot(self) -> None:
        """Lose every process; what is enabled starts again."""
        self.boot = f"boot-{int(self.boot.partition('-')[2]) + 1}"
        for service in self.services.values():
            self.stop(service.name)
        self.records.clear()
        self._began = self.clock.now().steady + BOOTED_SECONDS_AGO
        for service in self.services.values():
            service.started_at.clear()
            if service.enabled and service.unit:
                self.start(service.name)

    def use_cpu(self, percent: float) -> None:
        """Let the CPUs be this busy from now on."""
        self._busy_seconds = self.cpu_times().busy
        self._busy_share, self._busy_since = percent / 100, self.clock.now().steady

    def cpu_times(self) -> CpuTimes:
        """Return what has been used since boot."""
        passed = self.clock.now().steady - self._busy_since
        busy = self._busy_seconds + passed * self._busy_share * self.cpus
        return CpuTimes(busy, self.boot_seconds * self.cpus - busy, self.cpus)

    # -- processes ----------------------------------------------------------------------------------------------------
    def add_process(self, name: str, *, pid: int = 0, parent: int = 1, **traits: Any) -> SimulatedProcess:
        """Start a process that belongs to no service."""
        pid = pid or self._take_pid()
        process = Process(pid, int(self.boot_seconds * TICKS_A_SECOND), parent, name, "S", 0.0, 10 << 20, pid)
        argv = traits.pop("argv", (f"/usr/sbin/{name}",))
        executable = traits.pop("executable", argv[0])
        self.processes[pid] = SimulatedProcess(process, argv, executable, **traits)
        return self.processes[pid]

    def change_process(self, pid: int, **changes: Any) -> Process:
        """Change what the table says of a process: state, memory, CPU seconds."""
        entry = self.processes[pid]
        entry.process = entry.process._replace(**changes)
        return entry.process

    def end_process(self, pid: int) -> None:
        """Let a process be gone; who watches it is woken."""
        entry = self.processes.pop(pid)
        self.events.tell(f"process:{pid}:{entry.process.start_time}", "pidfd")

    def _take_pid(self) -> int:
        self._next_pid += 1
        return self._next_pid

    # -- services -----------------------------------------------------------------------------------------------------
    def add_service(self, name: str, **traits: Any) -> SimulatedService:
        """Make a service known; it does not run before `start`."""
        self.services[name] = SimulatedService(name, **traits)
        return self.services[name]

    def start(self, name: str) -> bool:
        """Start a service as its unit or command would; False if that failed."""
        service = self.services[name]
        if service.pid:
            return True
        if not self._within_start_limit(service) or service.refuses_to_start:
            self._become(service, "failed", service.result if service.result == "start-limit-hit" else "exit-code")
            return False
        self._launch(service)
        return True

    def stop(self, name: str) -> None:
        """Stop a service in good order, as a person or a control would."""
        service = self.services[name]
        if service.pid:
            # It leaves the active state before its process has ended.
            service.left_active_us = int(self.boot_seconds * 1e6)
            service.main_exit_us = service.left_active_us + 1
        self._end(service)
        self._become(service, "inactive", "success")

    def crash(self, name: str) -> None:
        """Let a service's process die by a signal."""
        service = self.services[name]
        if service.pid:
            service.main_exit_us = int(self.boot_seconds * 1e6)
            service.left_active_us = service.main_exit_us + 1
        self._end(service)
        self._become(service, "failed", "signal")

    def service_of_unit(self, unit: str) -> SimulatedService | None:
        """Return the service behind a unit."""
        return next((service for service in self.services.values() if service.unit and service.unit == unit), None)

    def service_of_process(self, pid: int) -> SimulatedService | None:
        """Return the service whose main process this is."""
        return next((service for service in self.services.values() if service.pid == pid), None)

    def answering(self, where: int | str) -> SimulatedService | None:
        """Return the service that holds a port, or a unix socket, open by now."""
        now = self.clock.now().steady
        running = (service for service in self.services.values() if service.pid and now >= service.answers_at)
        return next((service for service in running if where in (service.port, service.socket)), None)

    def unit_state(self, service: SimulatedService) -> Unit:
        """Return what systemctl show would say."""
        starting = service.pid and self.clock.now().steady < service.answers_at
        active = "activating" if starting else service.active_state
        return Unit(
            id=service.unit,
            load_state="loaded",
            active_state=active,
            sub_state={"active": "running", "inactive": "dead", "activating": "start"}.get(active, active),
            result=service.result,
            unit_file_state="enabled" if service.enabled else "disabled",
            main_pid=service.pid,
            restarts=service.restarts,
            invocation=f"{service.runs:032x}" if service.runs else "",
            changed_us=service.changed_us,
            busy=bool(starting),
            takes_along=service.takes_along,
            start_limit_burst=service.start_limit_burst,
            start_limit_interval_seconds=service.start_limit_interval_seconds,
            slice="system.slice",
            left_active_us=service.left_active_us,
            main_exit_us=service.main_exit_us,
        )

    def _within_start_limit(self, service: SimulatedService) -> bool:
        now = self.clock.now().steady
        since = now - service.start_limit_interval_seconds
        service.started_at = [at for at in service.started_at if at > since]
        if service.unit and len(service.started_at) >= service.start_limit_burst:
            service.result = "start-limit-hit"
            return False
        service.started_at.append(now)
        service.result = "success"
        return True

    def _launch(self, service: SimulatedService) -> None:
        now = self.clock.now().steady
        argv = service.command or (f"/usr/sbin/{service.name}",)
        ports = (service.port,) if service.port else ()
        cgroup = f"/system.slice/{service.unit}"
        entry = self.add_process(service.name[:15], argv=argv, ports=ports, ignores_term=service.ignores_term, cgroup=cgroup)
        service.pid = entry.process.pid
        service.answers_at = now + service.start_seconds
        after = service.crashes_after_seconds
        service.crashes_at = None if after is None else now + after
        service.runs += 1
        if service.pidfile:
            self.files.add_file(service.pidfile, f"{service.pid}\n")
        if not service.unit:
            self.records[service.name] = (service.pid, entry.process.start_time)
        self._become(service, "active", "success")

    def _end(self, service: SimulatedService) -> None:
        pid, service.pid, service.crashes_at = service.pid, 0, None
        if pid:
            self.end_process(pid)

    def _become(self, service: SimulatedService, active_state: str, result: str) -> None:
        service.active_state, service.result = active_state, result
        service.changed_us = int(self.boot_seconds * 1e6)
        if service.unit:
            self.events.tell(f"unit:{service.unit}", "systemd")
