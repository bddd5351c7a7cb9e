"""The host as it is: `LinuxHost` keeps what is worth remembering, each `LinuxView` is one look.

Reads /proc directly: one process costs about as much as the kernel takes for it, the whole table is read once a look.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zen_agents.adapters import linux_probe, linux_view_files
from zen_agents.adapters.linux_view_busy import BusyReader
from zen_agents.adapters.linux_view_cgroups import CgroupReader
from zen_agents.adapters.linux_view_last_good import LastGoodLook
from zen_agents.adapters.linux_view_network import NetworkLook
from zen_agents.adapters.linux_view_occupied import OccupationLook, OccupationReader
from zen_agents.adapters.linux_view_processes import ProcessReader
from zen_agents.adapters.linux_view_reading import read_kernel_file, require_kernel_file
from zen_agents.adapters.linux_view_resources import ResourceReader
from zen_agents.adapters.linux_view_services import ServiceReader
from zen_agents.adapters.linux_view_sockets import DescriptorReader
from zen_agents.adapters.linux_view_units import UnitReader, unit_name
from zen_agents.adapters.linux_view_use import UseLook
from zen_agents.adapters.quarantine import KeptFiles
from zen_agents.adapters.systemd_bus import SystemdBus
from zen_agents.errors import HostError
from zen_agents.ports.host import (
    CpuTimes,
    DiskUse,
    FileState,
    HttpRequest,
    KeptFile,
    Memory,
    Mount,
    Pressure,
    ProbeResult,
    Process,
    Unit,
)
from zen_agents.ports.host_contents import LARGEST_CONTENT
from zen_agents.ports.host_processes import Busy, by_parent

if TYPE_CHECKING:
    from zen_agents.adapters.linux_logs import LinuxLogs
    from zen_agents.model.certificate import CertificateLook, CertificateQuestion, Seen
    from zen_agents.model.debian_upgrade import DebianLook, DebianQuestion, DebianTrial, DebianTried
    from zen_agents.model.environment import Environment, Holding, Resolution, Wanted
    from zen_agents.model.package_look import PackageLook, PackageQuestion
    from zen_agents.model.plugin import PluginAnswer
    from zen_agents.model.pool import PoolLook, PoolQuestion
    from zen_agents.ports.host_datasets import DataQuestion
    from zen_agents.ports.host_logs import CatchUp, Checkpoint, LogPiece, LogRequest
    from zen_agents.ports.host_plugins import PluginCall
    from zen_agents.ports.time_answer import TimeAnswer

_T = TypeVar("_T")
_MOST_UNITS = 2_000
#: Workers that look for this host at the same time.
_MOST_WORKERS = 4
_MACHINE_ID = re.compile(r"[0-9a-f]{32}")


class LinuxHost:
    """The host that the engine runs on.

    Remembers across looks: command lines, for as long as a process is the same; which units were asked for, so that the
    next look asks for all at once; and for a moment who else is working on the host. May be used from several threads.
    """

    def __init__(
        self,
        state_dir: str | Path,
        *,
        proc_root: str = "/proc",
        cgroup_root: str = "/sys/fs/cgroup",
        root: str = "",
        systemctl: str = "systemctl",
        systemctl_timeout_seconds: float = 4.0,
    ) -> None:
        self.state_dir = state_dir
        self.processes = ProcessReader(proc_root)
        self.files = linux_view_files.FileReader()
        self.services = ServiceReader(str(state_dir), self.processes)
        self.kept = KeptFiles(Path(state_dir) / "quarantine")
        self.resources = ResourceReader(proc_root, cgroup_root)
        self.busy = BusyReader()
        self.cgroups = CgroupReader(cgroup_root)
        self.descriptors = DescriptorReader(proc_root)
        # The bus belongs to this host's own systemd; whoever names another root or program means those.
        own = not root and systemctl == "systemctl"
        self.units = UnitReader(systemctl, systemctl_timeout_seconds, SystemdBus() if own else None)
        self.occupation = OccupationReader(root)
        self.resolver = linux_probe.Resolver()
        self.worker_turns = asyncio.Semaphore(_MOST_WORKERS)
        #: One data set after the other: each may take all the memory that it was given.
        self.data_turns = asyncio.Semaphore(1)
        self.proc_root = proc_root
        #: Stands before /etc and /run.
        self.root = root
        self._unit_names: dict[str, None] = {}
        self._remembered: dict[str, tuple[float, Any]] = {}

    @functools.cached_property
    def logs(self) -> LinuxLogs:
        """What reads logs; keeps unpacked archives between looks."""
        from zen_agents.adapters.linux_logs import LinuxLogs  # noqa: PLC0415 - only hosts that list logs pay for it

        return LinuxLogs()

    def look(self) -> LinuxView:
        """Return a fresh view; nothing is read before it is asked for."""
        return LinuxView(self)

    def units_with(self, name: str) -> Mapping[str, Unit | None]:
        """Return the state of all units ever asked for and of this one, by one call of systemctl."""
        asked = dict.fromkeys((*self._unit_names, name))
        found = self.units.units(tuple(asked)[-_MOST_UNITS:])
        # Only a name that systemd could answer for is asked again: one bad name must not spoil the answers for all.
        self._unit_names = dict.fromkeys(found)
        return found

    def recall(self, key: str, seconds: float, ask: Callable[[], _T]) -> _T:
        """Return what `ask` said up to `seconds` ago, else ask again."""
        at, answer = self._remembered.get(key, (float("-inf"), None))
        if time.monotonic() - at > seconds:
            answer = ask()
            self._remembered[key] = (time.monotonic(), answer)
        return cast(_T, answer)


class LinuxView(LastGoodLook, NetworkLook, OccupationLook, UseLook):
    """One look at a `LinuxHost`; implements `ports.host.HostView`. What could not be told once is not asked again."""

    def __init__(self, host: LinuxHost) -> None:
        self._host = host
        self._seen: dict[Hashable, Any] = {}
        self._files: dict[str, FileState | None] = {}
        self._users: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._processes: dict[int, Process | None] = {}
        self._table: dict[int, Process] | None = None
        self._units: dict[str, Unit | None] = {}

    # -- load and room ------------------------------------------------------------------------------------------------
    def cpu_times(self) -> CpuTimes:
        """Return busy and idle seconds and how many CPUs may be used."""
        return self._once("cpu_times", self._host.resources.cpu_times)

    def load(self) -> tuple[float, float, float]:
        """Return the load averages of 1, 5 and 15 minutes."""
        return self._once("load", self._host.resources.load)

    def memory(self) -> Memory:
        """Return memory and swap in bytes; a container's limits count."""
        return self._once("memory", self._host.resources.memory)

    def pressure(self, resource: str) -> Pressure | None:
        """Return the stall averages of `cpu`, `memory` or `io`; None where the kernel has none."""
        return self._once(("pressure", resource), lambda: self._host.resources.pressure(resource))

    def mounts(self) -> Sequence[Mount]:
        """Return what is mounted; of several on one path the visible one."""
        return self._once("mounts", lambda: linux_view_files.read_mounts(self._host.proc_root))

    def disk_use(self, path: str) -> DiskUse:
        """Return the use of the file system that holds `path`, as df counts it."""
        return self._once(("disk_use", path), lambda: linux_view_files.disk_use(path))

    # -- files --------------------------------------------------------------------------------------------------------
    def file(self, path: str) -> FileState | None:
        """Return lstat of `path`, None if there is nothing."""
        # Asked for each of thousands of files: no closure, no key beside the path.
        if path in self._files:
            return self._files[path]
        state = self._files[path] = self._host.files.look_at(path)
        return state

    def list_directory(self, path: str, *, limit: int = 100_000) -> Sequence[FileState]:
        """Return up to `limit` direct entries of a directory, without following links; not remembered, it may be large."""
        return linux_view_files.list_directory(path, limit)

    def read_text(self, path: str, *, limit: int = 65536) -> str:
        """Return up to `limit` bytes of a regular file; a link is not followed. Not remembered, it may be large."""
        return linux_view_files.read_text(path, limit)

    def content(self, path: str) -> bytes | None:
        """Return all that a small regular file holds, None if there is nothing; not remembered."""
        return linux_view_files.content(path)

    def content_end(self, path: str, limit: int) -> bytes | None:
        """Return the last lines of a regular file, None if there is nothing; not remembered."""
        return linux_view_files.content_end(path, limit)

    def kept_content(self, id: str) -> bytes:
        """Return what a file of the quarantine holds; StalePlanError or HostError if it is not there as it was taken."""
        with self._host.kept.opened(id) as (descriptor, kept):
            if kept.size > LARGEST_CONTENT:
                raise HostError(f"{id} is larger than {LARGEST_CONTENT >> 20} MiB; restore {kept.path} by hand")
            return os.pread(descriptor, LARGEST_CONTENT, 0)

    def kernel_setting(self, name: str) -> str | None:
        """Return a kernel setting, None if there is none; not remembered."""
        from zen_agents.adapters.linux_kernel import read_setting  # noqa: PLC0415 - only where one is listed

        return read_setting(name, self._host.proc_root)

    # -- processes ----------------------------------------------------------------------------------------------------
    def process(self, pid: int) -> Process | None:
        """Return one process, None if it is gone; a zombie is still there, with state Z."""
        if pid not in self._processes:
            self._processes[pid] = self._host.processes.read(pid)
        return self._processes[pid]

    def processes(self) -> Mapping[int, Process]:
        """Return the process table, read once a look."""
        if self._table is None:
            self._table = self._host.processes.read_all()
            # What this look has seen before stays as it was seen.
            self._table.update({pid: seen for pid, seen in self._processes.items() if seen is not None})
            self._processes.update(self._table)
        return self._table

    def command_line(self, process: Process) -> tuple[str, ...]:
        """Return argv; () for a kernel thread or a process that is gone."""
        return self._host.processes.command_line(process)

    def executable(self, process: Process) -> str:
        """Return the program's path; "" for a kernel thread or a process that is gone."""
        return self._host.processes.executable(process)

    def owner(self, process: Process) -> int:
        """Return the effective uid; HostError if the process is gone."""
        return self._host.processes.owner(process)

    def kept_file(self, id: str) -> KeptFile:
        """Return a file of the quarantine once its content was compared; StalePlanError or HostError if it is not so."""
        with self._host.kept.opened(id) as (_, kept):
            like = kept.likeness
            return KeptFile(
                kept.id, kept.path, kept.sha256, kept.size, like.mode & 0o777, like.owner, like.group, like.modified_ns / 1e9
            )

    def cgroup(self, process: Process) -> str:
        """Return the cgroup's path; HostError if the process is gone."""
        return self._once(("cgroup", process.fingerprint), lambda: self._host.processes.cgroup(process))

    def descriptors(self, process: Process) -> tuple[int, int]:
        """Return (open descriptors, soft limit); HostError if the process is gone or may not be looked into."""
        return self._host.processes.descriptors(process)

    def children(self) -> Mapping[int, Sequence[Process]]:
        """Return the children of each process that has some, by its pid."""
        return self._once("children", lambda: by_parent(self.processes()))

    def memory_limit(self, process: Process) -> int | None:
        """Return the tightest memory limit of its cgroups in bytes, None for none; HostError if the process is gone."""
        path = self.cgroup(process)
        return self._once(("memory_limit", path), lambda: self._host.cgroups.memory_limit(path))

    def busy_processes(self, above_percent: float) -> Sequence[Busy]:
        """Return who uses more of one CPU than that since the look before; HostError at the first look of all."""
        return self._once(("busy", above_percent), lambda: self._host.busy.busy(above_percent, self.processes()))

    def service_process(self, name: str) -> Process | None:
        """Return the live process last started for this service, None if it has ended."""
        return self._once(("service", name), lambda: self._host.services.started(name))

    def pidfile_process(self, path: str, *, user: str = "", executable: str = "") -> Process | None:
        """Return the live process that a pidfile names, if it is of that account and program."""
        key = ("pidfile", path, user, executable)
        return self._once(key, lambda: self._host.services.by_pidfile(path, user, executable))

    def deleted_open_files(self) -> Sequence[tuple[Process, int, str, int]]:
        """Return deleted regular files that a process the engine may look into holds open."""
        return self._once("deleted", lambda: self._host.descriptors.deleted_files(self.processes()))

    def listeners(self, port: int) -> Sequence[int]:
        """Return pids that listen on a TCP port; empty if none does or its process may not be looked into."""
        inodes = self._once(("listening", port), lambda: self._host.descriptors.listening_inodes(port))
        if not inodes:
            return ()
        owners = self._once("sockets", lambda: self._host.descriptors.socket_owners(self.processes()))
        return sorted({pid for inode in inodes for pid in owners.get(inode, ())})

    # -- systemd ------------------------------------------------------------------------------------------------------
    def has_systemd(self) -> bool:
        """Tell whether systemd runs this host."""
        return Path(f"{self._host.root}/run/systemd/system").is_dir()

    def system_state(self) -> str:
        """Return systemd's word for the whole host, "" without systemd."""
        return self._once("system_state", lambda: self._host.units.system_state() if self.has_systemd() else "")

    def unit(self, name: str) -> Unit | None:
        """Return a unit's state, None if systemd does not know it or is not there."""
        if not self.has_systemd():
            return None
        full = unit_name(name)
        if full not in self._units:
            # A call that failed is remembered too: a hung bus costs one time-out a look, not one a unit.
            found = self._once("units" if not self._units else ("unit", full), lambda: self._host.units_with(full))
            self._units.update(found)
        return self._units[full]

    def unit_needs(self, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return what each of these units cannot run without; never remembered."""
        return self._host.units.needs([unit_name(name) for name in names]) if names and self.has_systemd() else {}

    # -- the journal and the kernel -----------------------------------------------------------------------------------
    def journal_entries(self) -> int:
        """Return the number of the newest entry of the system's journal; HostError without one."""
        from zen_agents.adapters import linux_view_journal as journal  # noqa: PLC0415 - only hosts that list it

        return self._once("entries", lambda: journal.newest_entry(self.machine_id(), self._host.root))

    def journal_share(self, most: int) -> Mapping[str, int]:
        """Return how many of the newest entries each unit has written."""
        from zen_agents.adapters import linux_view_journal as journal  # noqa: PLC0415 - as above

        return self._once(("share", most), lambda: journal.share(most))

    def log_limit(self, unit: str) -> int | None:
        """Return to how many lines a second the engine limited a unit, None if it did not."""
        from zen_agents.adapters import linux_view_journal as journal  # noqa: PLC0415 - as above

        return journal.limit_of(unit, self._host.root)

    def new_lines(self, request: LogRequest, checkpoint: Checkpoint | None) -> LogPiece:
        """Return what was written to a log since the checkpoint; never remembered."""
        return self._host.logs.new_lines(request, checkpoint)

    def begin_catch_up(self, name: str, request: LogRequest, checkpoint: Checkpoint | None, job: str) -> None:
        """Have a worker read on for some seconds."""
        self._host.logs.catch_ups.begin(name, request, checkpoint, job)

    def catch_up(self, name: str) -> CatchUp | None:
        """Return how far that worker is."""
        return self._host.logs.catch_ups.state(name)

    def kernel_stack(self, process: Process) -> Sequence[str]:
        """Return the functions of the kernel that a process is in, the innermost first."""
        from zen_agents.adapters import linux_view_kernel as kernel  # noqa: PLC0415 - as above

        return kernel.stack_of(process, self._host.proc_root)

    def file_system_errors(self, mount: Mount) -> Sequence[str]:
        """Return what the kernel has said about errors of a file system since it was last mounted."""
        from zen_agents.adapters import linux_view_kernel as kernel  # noqa: PLC0415 - as above

        return self._once(("errors", mount), lambda: kernel.errors_of(mount))

    def unit_file_pending(self, unit: str) -> bool:
        """Tell whether a unit's files changed since systemd read them; not remembered."""
        return self.has_systemd() and self._host.units.file_pending(unit)

    # -- identity -----------------------------------------------------------------------------------------------------
    def boot_seconds(self) -> float:
        """Return seconds since boot, as of this look."""
        return self._once("boot_seconds", self._uptime)

    def machine_id(self) -> str:
        """Return the 32 hexadecimal digits of /etc/machine-id, "" where the host has none."""
        text = (read_kernel_file(f"{self._host.root}/etc/machine-id", limit=64) or b"").decode("ascii", "replace").strip()
        return text if _MACHINE_ID.fullmatch(text) else ""

    def user_id(self, name: str) -> int:
        """Return the uid of an account name or number; HostError if there is none."""
        if (known := self._users.get(name)) is None:
            known = self._users[name] = linux_view_files.user_id(name)
        return known

    def group_id(self, name: str) -> int:
        """Return the gid of a group name or number; HostError if there is none."""
        if (known := self._groups.get(name)) is None:
            known = self._groups[name] = linux_view_files.group_id(name)
        return known

    # -- network ------------------------------------------------------------------------------------------------------
    async def tcp(
        self, host: str, port: int, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        """Connect, ask if there is something to ask, and hang up; never remembered."""
        return await linux_probe.tcp(host, port, timeout_seconds, self._host.resolver, send=send, contains=contains)

    async def server_time(self, server: str, timeout_seconds: float) -> TimeAnswer:
        """Ask a time server once; never remembered."""
        from zen_agents.adapters import linux_time  # noqa: PLC0415 - only hosts that list servers

        return await linux_time.server_time(server, timeout_seconds, self._host.resolver)

    async def http(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult:
        """Ask for a page; never remembered."""
        if request.unix:
            from zen_agents.adapters import linux_unix_socket  # noqa: PLC0415 - only hosts that ask at one

            return await linux_unix_socket.http(request, timeout_seconds)
        return await linux_probe.http(request, timeout_seconds, self._host.resolver)

    # -- monitoring plugins -------------------------------------------------------------------------------------------
    async def plugin(self, call: PluginCall) -> PluginAnswer:
        """Run a plugin; see `PluginView`."""
        from zen_agents.adapters.plugin_run import run_plugin  # noqa: PLC0415 - only hosts that list plugins pay for it

        return await run_plugin(call, self._host.worker_turns)

    # -- environments -------------------------------------------------------------------------------------------------
    def environment_upgrade(self, environment: Environment, wanted: Sequence[Wanted], timeout_seconds: float) -> Resolution:
        from zen_agents.adapters.linux_environments import resolve_now  # noqa: PLC0415 - only hosts that list environments

        return resolve_now(environment, wanted, timeout_seconds)

    def environment_holding(self, venv: str) -> Holding:
        from zen_agents.adapters.linux_environments import holding  # noqa: PLC0415 - see above

        return holding(venv)

    def kept_environment(self, id: str) -> tuple[str, Holding]:
        from zen_agents.adapters.linux_environments import kept_holding  # noqa: PLC0415 - see above

        return kept_holding(Path(self._host.state_dir), id)

    # -- certificates -------------------------------------------------------------------------------------------------
    async def certificate(self, asked: CertificateQuestion, timeout_seconds: float) -> CertificateLook:
        """Have a worker look at files and server; never remembered."""
        from zen_agents.adapters import linux_view_certificates  # noqa: PLC0415 - only hosts that list certificates pay

        return await linux_view_certificates.look(asked, timeout_seconds, self._host.worker_turns)

    def certificate_file(self, asked: CertificateQuestion) -> Seen:
        """Have a worker look at the files, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_view_certificates  # noqa: PLC0415 - see above

        return linux_view_certificates.look_at_files(asked)

    # -- packages -----------------------------------------------------------------------------------------------------
    async def packages(self, asked: PackageQuestion, timeout_seconds: float) -> PackageLook:
        """Have a worker look; never remembered."""
        from zen_agents.adapters import linux_packages  # noqa: PLC0415 - only hosts that list environments pay

        return await linux_packages.look(asked, timeout_seconds, self._host.worker_turns)

    def packages_now(self, asked: PackageQuestion) -> PackageLook:
        """Have a worker look, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_packages  # noqa: PLC0415 - see above

        return linux_packages.look_now(asked)

    # -- connection pools ---------------------------------------------------------------------------------------------
    async def pool(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        """Have a worker ask; never remembered."""
        from zen_agents.adapters import linux_pools  # noqa: PLC0415 - only hosts that list pools pay

        return await linux_pools.look(asked, timeout_seconds, self._host.worker_turns)

    def pool_now(self, asked: PoolQuestion, timeout_seconds: float) -> PoolLook:
        """Have a worker ask, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_pools  # noqa: PLC0415 - see above

        return linux_pools.look_now(asked, timeout_seconds)

    # -- data sets ----------------------------------------------------------------------------------------------------
    async def check_data(self, asked: DataQuestion) -> str:
        """Have a worker look; never remembered."""
        from zen_agents.adapters.data_checks import check_data  # noqa: PLC0415 - only hosts that list data sets pay

        async with self._host.data_turns:
            return await check_data(asked)

    def repair_now(self, asked: DataQuestion) -> str:
        """Have a worker tell what a repair would do, in a thread without a loop; never remembered."""
        from zen_agents.adapters.linux_datasets import repair_now  # noqa: PLC0415 - see above

        return repair_now(asked)

    # -- Debian packages ----------------------------------------------------------------------------------------------
    async def debian_packages(self, asked: DebianQuestion, timeout_seconds: float) -> DebianLook:
        """Have a worker ask apt; never remembered."""
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - only hosts whose packages are looked after pay

        return await linux_debian.look(asked, timeout_seconds, self._host.worker_turns)

    def debian_packages_now(self, asked: DebianQuestion) -> DebianLook:
        """Have a worker ask apt, in a thread without a loop; never remembered."""
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - see above

        return linux_debian.look_now(asked)

    async def debian_trial(self, asked: DebianTrial) -> DebianTried:
        """Have a worker make an upgrade in a copy of the root."""
        from zen_agents.adapters import linux_debian  # noqa: PLC0415 - see above

        return await linux_debian.trial(asked)

    def _uptime(self) -> float:
        path = f"{self._host.proc_root}/uptime"
        try:
            return float(require_kernel_file(path).split()[0])
        except (ValueError, IndexError) as error:
            raise HostError(f"{path} is not as expected") from error

    def _once(self, key: Hashable, ask: Callable[[], _T]) -> _T:
        """Return the answer of this look, or raise its HostError again."""
        if key not in self._seen:
            try:
                self._seen[key] = ask()
            except HostError as error:
                self._seen[key] = error
        answer = self._seen[key]
        if isinstance(answer, HostError):
            raise type(answer)(str(answer)) from answer
        return cast(_T, answer)
