"""The host: looked at through `HostView`, changed only through `HostControl`, which only the executor is handed.

Everything in a view blocks and may take long (a dead mount), so it is called in the sampler's thread, except the probes,
which are coroutines. What cannot be told raises `HostError`; a check turns that into UNKNOWN.

What is read of a host is a tuple and no dataclass: such a class is made in a sixth of the time when the engine starts, and
one for each of thousands of files and processes in a quarter of it at each look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError
from zen_agents.ports.host_certificates import CertificateView
from zen_agents.ports.host_contents import ContentView
from zen_agents.ports.host_datasets import DatasetControl, DatasetView
from zen_agents.ports.host_debian import DebianControl, DebianView
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_environments import EnvironmentControl, EnvironmentView
from zen_agents.ports.host_firewall import FirewallControl, FirewallView
from zen_agents.ports.host_journal import JournalControl, JournalView
from zen_agents.ports.host_kernel import KernelView
from zen_agents.ports.host_last_good import LastGoodView
from zen_agents.ports.host_logs import LogView
from zen_agents.ports.host_network import NetworkView
from zen_agents.ports.host_occupation import OccupationView
from zen_agents.ports.host_packages import PackageView
from zen_agents.ports.host_plugins import PluginView
from zen_agents.ports.host_pools import PoolControl, PoolView
from zen_agents.ports.host_processes import ProcessChanges, ProcessQuestions
from zen_agents.ports.host_sysctl import SysctlControl, SysctlView
from zen_agents.ports.host_time import TimeView


class Process(NamedTuple):
    """One line of the process table, from /proc/PID/stat."""

    pid: int
    #: Start time in clock ticks since boot; with the pid it names a process for good (R20).
    start_time: int
    parent: int
    name: str
    #: One letter as in ps: R S D Z T ...
    state: str
    #: User and system CPU seconds so far.
    cpu_seconds: float
    resident_bytes: int
    session: int

    @property
    def fingerprint(self) -> str:
        """`pid:start_time`."""
        return f"{self.pid}:{self.start_time}"


class Unit(NamedTuple):
    """What `systemctl show` says of a unit."""

    #: Canonical id; an alias is resolved to it.
    id: str
    load_state: str
    active_state: str
    sub_state: str
    result: str
    unit_file_state: str
    main_pid: int
    restarts: int
    #: Steady-independent identity of the present run: InvocationID.
    invocation: str
    #: Changes with each state change: StateChangeTimestampMonotonic, microseconds.
    changed_us: int
    #: A job (start, stop) is queued or running.
    busy: bool
    #: What a stop or restart takes along: RequiredBy, BoundBy, ConsistsOf, PropagatesStopTo.
    takes_along: tuple[str, ...]
    #: systemd's own limiter: StartLimitBurst starts within StartLimitIntervalUSec.
    start_limit_burst: int
    start_limit_interval_seconds: float
    slice: str = ""
    #: When it last ceased to be active, and when its main process last ended, in microseconds since boot; 0 if never.
    left_active_us: int = 0
    main_exit_us: int = 0

    @property
    def was_stopped(self) -> bool:
        """True if systemd began to stop it while its main process still ran: somebody asked for that, it did not fail."""
        return self.active_state in ("inactive", "failed") and 0 < self.left_active_us < self.main_exit_us


class FileState(NamedTuple):
    """What lstat says of a path: links are not followed."""

    path: str
    #: "file", "directory", "link", "socket", "fifo", "device".
    kind: str
    #: Permission bits with setuid, setgid and sticky, as an integer.
    mode: int
    owner: int
    group: int
    size: int
    #: Seconds since the epoch.
    modified: float
    changed: float
    accessed: float
    device: int
    inode: int
    links: int

    @property
    def fingerprint(self) -> str:
        """`device:inode:changed_ns`."""
        return f"{self.device}:{self.inode}:{int(self.changed * 1e9)}"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was moved into the quarantine, and what it was."""

    id: str
    #: Where it was.
    path: str
    #: SHA-256 of its content, hex.
    sha256: str
    size: int
    #: As it is given back: never with setuid or setgid.
    mode: int
    owner: int
    group: int
    #: Seconds since the epoch.
    modified: float


class Mount(NamedTuple):
    """One mounted file system, from /proc/self/mountinfo."""

    path: str
    source: str
    kind: str
    read_only: bool
    device: int


class DiskUse(NamedTuple):
    """What statvfs says of a mount; free is what an ordinary user may still use."""

    total_bytes: int
    free_bytes: int
    #: 0 where inodes are made as they are needed, so that none can run out.
    total_inodes: int
    free_inodes: int

    @property
    def inodes_are_scarcer(self) -> bool:
        """True where more of the inodes than of the room is in use: whoever makes a file is short of these first."""
        used_bytes, used_inodes = self.total_bytes - self.free_bytes, self.total_inodes - self.free_inodes
        return used_inodes * self.total_bytes > used_bytes * self.total_inodes


class Memory(NamedTuple):
    """Bytes; inside a container the cgroup's limits count. Used is total less available."""

    total: int
    available: int
    swap_total: int
    swap_free: int


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds since boot summed over all CPUs."""

    busy: float
    idle: float
    #: How many CPUs may be used (cgroup quota counted), for load comparisons.
    count: float


class Pressure(NamedTuple):
    """What /proc/pressure/RESOURCE says: percent of time stalled, averaged over 10, 60 and 300 seconds."""

    some_10: float
    some_60: float
    some_300: float
    full_10: float
    full_60: float
    full_300: float


class ProbeResult(NamedTuple):
    """What a network probe met."""

    ok: bool
    #: "" when ok, else one of: refused, timeout, reset, name_error, unreachable, tls, bad_status, bad_answer.
    error: str
    detail: str
    seconds: float
    #: HTTP status, 0 for none.
    http_status: int = 0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A GET with what counts as a good answer."""

    url: str
    expect_status: tuple[int, ...] = (200,)
    #: Text that the first 64 KiB of the body must contain; "" for none.
    contains: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    verify_tls: bool = True
    #: Path of a unix socket over which it is asked instead of over the network; "" for none.
    unix: str = ""


class HostView(
    CertificateView,
    ContentView,
    DebianView,
    EnvironmentView,
    FirewallView,
    JournalView,
    KernelView,
    LastGoodView,
    LogView,
    NetworkView,
    OccupationView,
    PackageView,
    PluginView,
    PoolView,
    DatasetView,
    ProcessQuestions,
    SysctlView,
    TimeView,
    Protocol,
):
    """Read-only questions. One view is one look: each thing is read at most once and remembered."""

    def cpu_times(self) -> CpuTimes: ...
    def load(self) -> tuple[float, float, float]: ...
    def memory(self) -> Memory: ...
    def pressure(self, resource: str) -> Pressure | None:
        """Return the stall averages of `cpu`, `memory` or `io`; None where the kernel has none."""
        ...

    def mounts(self) -> Sequence[Mount]: ...
    def disk_use(self, path: str) -> DiskUse: ...
    def file(self, path: str) -> FileState | None:
        """Return lstat of `path`, None if there is nothing."""
        ...

    def list_directory(self, path: str, *, limit: int = 100_000) -> Sequence[FileState]:
        """Return the direct entries of a directory, without following links."""
        ...

    def read_text(self, path: str, *, limit: int = 65536) -> str:
        """Return up to `limit` bytes of a regular file, decoded with replacement."""
        ...

    def kept_file(self, id: str) -> KeptFile:
        """Return a file of the quarantine as it would be given back.

        Raises StalePlanError if it is not kept any more, HostError if what is kept is not what was taken.
        """
        ...

    def process(self, pid: int) -> Process | None:
        """Return one process by reading its /proc/PID/stat, None if it is gone."""
        ...

    def processes(self) -> Mapping[int, Process]:
        """Return the process table, read once a look."""
        ...

    def command_line(self, process: Process) -> tuple[str, ...]:
        """Return argv; remembered for as long as pid and start time are the same."""
        ...

    def executable(self, process: Process) -> str: ...
    def owner(self, process: Process) -> int:
        """Return the effective uid of a process."""
        ...

    def cgroup(self, process: Process) -> str: ...
    def descriptors(self, process: Process) -> tuple[int, int]:
        """Return (open descriptors, soft limit)."""
        ...

    def service_process(self, name: str) -> Process | None:
        """Return the process that `HostControl.start_service` last started for this service, if it still is that one."""
        ...

    def pidfile_process(self, path: str, *, user: str = "", executable: str = "") -> Process | None:
        """Return the live process that a pidfile names, None if it names none.

        A pidfile that others than root and the engine can write counts only if account and executable are given and match;
        else HostError says so (R20).
        """
        ...

    def deleted_open_files(self) -> Sequence[tuple[Process, int, str, int]]:
        """Return (process, descriptor, former path, bytes) of regular files without a link that somebody holds open."""
        ...

    def listeners(self, port: int) -> Sequence[int]:
        """Return pids that listen on a TCP port, where that can be told."""
        ...

    def has_systemd(self) -> bool: ...
    def system_state(self) -> str:
        """Return `systemctl is-system-running`'s word, "" without systemd."""
        ...

    def unit(self, name: str) -> Unit | None:
        """Return a unit's state, None if it is not known to systemd. All units asked for before come in one call."""
        ...

    def unit_needs(self, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return what each of these units cannot run without, as (relation, unit): `("Requires", "db.service")`.

        Requires, Requisite, BindsTo and PartOf; of a socket what it Triggers. Not remembered; empty without systemd.
        """
        ...

    def boot_seconds(self) -> float: ...
    def machine_id(self) -> str: ...
    def user_id(self, name: str) -> int:
        """Return the uid of an account name or number; HostError if there is none."""
        ...

    def group_id(self, name: str) -> int: ...

    async def tcp(
        self, host: str, port: int, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        """Connect; with `send` or `contains`, say that and wait for an answer: any, or one that contains that."""
        ...

    async def http(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult: ...


class Host(Protocol):
    """The whole host, from which views are taken."""

    def look(self) -> HostView:
        """Return a fresh view."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """An argument list to run; never a shell string (R18)."""

    argv: tuple[str, ...]
    #: Account to run as; "" for the engine's own.
    user: str = ""
    directory: str = "/"
    #: Added to the small fixed environment (R23).
    environment: tuple[tuple[str, str], ...] = ()
    timeout_seconds: float = 60.0
    #: As a service: it ends and leaves a daemon behind, which its pidfile names; not remembered as the service's process.
    leaves_daemon: bool = False
    #: Once begun it is never broken off: not by its time-out, which is then only told, nor by the engine's own end.
    is_let_finish: bool = False


class CommandResult(NamedTuple):
    """How a command ended; `exit_code` is negative for a signal."""

    exit_code: int
    #: Bounded tail of stdout and stderr, decoded with replacement. Untrusted text.
    output: str
    timed_out: bool
    seconds: float


class UnitJob(NamedTuple):
    """How what systemd was asked to do with a unit ended."""

    #: systemd's word: done, failed, dependency, canceled, ...; "refused" where it did not even try, "" when time was over.
    result: str
    #: What was said about it. Untrusted text.
    output: str = ""
    timed_out: bool = False


class HostControl(
    ProcessChanges,
    DatasetControl,
    DebianControl,
    EnvironmentControl,
    FirewallControl,
    JournalControl,
    PoolControl,
    SysctlControl,
    Protocol,
):
    """The only door to changing the host. It knows its intent, looks at the emergency flag, and records its children."""

    @property
    def view(self) -> HostView:
        """A fresh look, for what has to be seen again between steps."""
        ...

    def check_stop(self) -> None:
        """Raise RefusedError if the emergency stop is set; called before each object of many (R36)."""
        ...

    async def run(self, command: Command) -> CommandResult:
        """Run a command in its own group, with time-out and rlimits, once its record is durable (R23, R36)."""
        ...

    async def restart_unit(self, name: str, *, timeout_seconds: float) -> UnitJob:
        """Have systemd restart a unit, and wait for that to end; it is asked once at most.

        HostError if nobody knows how it ended. systemd goes on with what it was asked, whoever stops waiting.
        """
        ...

    async def start_service(self, name: str, command: Command) -> Process:
        """Start a command that outlives the engine: own session, under systemd own transient unit; return its process.

        With `leaves_daemon` the process may have ended already, with pid 0 where nobody knows which it was.
        """
        ...

    async def stop_process(self, process: Process, *, timeout_seconds: float) -> bool:
        """TERM, then KILL after the time-out, through a pidfd; True if it is gone. A reused pid raises StalePlanError."""
        ...

    def signal(self, process: Process, number: int) -> None:
        """Send one signal through a pidfd; StalePlanError if the process is not the one that was seen."""
        ...

    def truncate_descriptor(self, process: Process, descriptor: int, *, expected_path: str) -> int:
        """Truncate a deleted regular file through /proc/PID/fd, under the conditions of R19; return the bytes freed."""
        ...

    def open_directory(self, path: str) -> AbstractContextManager[DirectoryHandle]:
        """Open a declared absolute directory, each component without following links."""
        ...


#: A unit that takes more than this along is not followed to its end.
_MOST_UNITS = 500


def with_all_taken_along(direct: Mapping[str, Unit], host: HostView) -> dict[str, Unit | None]:
    """Return units and, transitively, all that a stop or restart of them takes along, by canonical id.

    None stands for one that systemd does not know: its name is all there is to judge. Raises HostError if they are too many.
    """
    found: dict[str, Unit | None] = dict(direct)
    waiting = [name for unit in direct.values() for name in unit.takes_along]
    seen = set(found)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if len(seen) > _MOST_UNITS:
            raise HostError(f"a restart would take more than {_MOST_UNITS} units along")
        unit = host.unit(name)
        found[unit.id if unit else name] = unit
        waiting += unit.takes_along if unit else ()
    return found
