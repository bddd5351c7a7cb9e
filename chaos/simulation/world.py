"""What a simulated host is made of: processes, services, faults, and what happens to them as time passes."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping
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
from chaos.simulation.look_faults import Faults
from chaos.simulation.network import SimulatedNetwork
from chaos.simulation.pools import SimulatedPools
from chaos.simulation.process import TICKS_A_SECOND, SimulatedProcess
from chaos.simulation.services import SimulatedServices
from zen_agents.clock import Instant, ManualClock
from zen_agents.model.package_look import PackageLook
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_last_good import KeptVersion
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_resources import CpuTimes, Memory, Pressure
from zen_agents.ports.host_units import UnitJob
from zen_agents.ports.time_answer import TimeAnswer

BOOTED_SECONDS_AGO = 86_400.0


class SimulatedWorld(SimulatedServices):
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
        self.services = {}
        self.records = {}
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
        #: What it would answer as long as the data set's table is to be repaired, where that is another answer.
        self.spoiled_looks: dict[str, str] = {}
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
