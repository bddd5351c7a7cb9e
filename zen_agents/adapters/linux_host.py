"""The host as it is, and what is worth remembering of it from one look to the next."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zen_agents.adapters import linux_view_files
from zen_agents.adapters.data_turns import DataTurns
from zen_agents.adapters.linux_view import LinuxView
from zen_agents.adapters.linux_view_busy import BusyReader
from zen_agents.adapters.linux_view_cgroups import CgroupReader
from zen_agents.adapters.linux_view_occupied import OccupationReader
from zen_agents.adapters.linux_view_processes import ProcessReader
from zen_agents.adapters.linux_view_resources import ResourceReader
from zen_agents.adapters.linux_view_services import ServiceReader
from zen_agents.adapters.linux_view_sockets import DescriptorReader
from zen_agents.adapters.linux_view_units import UnitReader
from zen_agents.adapters.name_lookup import Resolver
from zen_agents.adapters.quarantine import KeptFiles
from zen_agents.adapters.systemd_bus import SystemdBus
from zen_agents.ports.host_units import Unit

if TYPE_CHECKING:
    from zen_agents.adapters.linux_logs import LinuxLogs
    from zen_agents.adapters.repair_looks import RepairLooks

_T = TypeVar("_T")
_MOST_UNITS = 2_000
#: Workers that look for this host at the same time.
_MOST_WORKERS = 4


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
        self.mounts = linux_view_files.MountReader(proc_root)
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
        self.resolver = Resolver()
        self.worker_turns = asyncio.Semaphore(_MOST_WORKERS)
        #: Each may take all the memory that it was given.
        self.data_turns = DataTurns()
        #: And one look before a repair, which others of the same agent do not wait for.
        self.repair_look_turns = asyncio.Semaphore(1)
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

    @functools.cached_property
    def repair_looks(self) -> RepairLooks:
        """What is known of what repairs of data would do."""
        from zen_agents.adapters.repair_looks import RepairLooks  # noqa: PLC0415 - only hosts that list data sets pay for it

        return RepairLooks(self.state_dir, self.kept)

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
