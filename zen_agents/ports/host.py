"""The host: looked at through `HostView`, changed only through `HostControl`, which only the executor is handed.

Everything in a view blocks and may take long (a dead mount), so it is called in the sampler's thread, except the probes,
which are coroutines. What cannot be told raises `HostError`; a check turns that into UNKNOWN.

What is read of a host is a tuple and no dataclass: such a class is made in a sixth of the time when the engine starts, and
one for each of thousands of files and processes in a quarter of it at each look.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from zen_agents.ports.host_certificates import CertificateView
from zen_agents.ports.host_commands import Command, CommandResult
from zen_agents.ports.host_contents import ContentView
from zen_agents.ports.host_datasets import DatasetControl, DatasetView
from zen_agents.ports.host_debian import DebianControl, DebianView
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_environments import EnvironmentControl, EnvironmentView
from zen_agents.ports.host_files import FileView
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
from zen_agents.ports.host_probes import ProbeView
from zen_agents.ports.host_process_use import ProcessUseView
from zen_agents.ports.host_processes import Process, ProcessChanges, ProcessView
from zen_agents.ports.host_resources import ResourceView
from zen_agents.ports.host_sysctl import SysctlControl, SysctlView
from zen_agents.ports.host_time import TimeView
from zen_agents.ports.host_units import UnitControl, UnitView


class HostView(
    CertificateView,
    ContentView,
    DatasetView,
    DebianView,
    EnvironmentView,
    FileView,
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
    ProbeView,
    ProcessUseView,
    ProcessView,
    ResourceView,
    SysctlView,
    TimeView,
    UnitView,
    Protocol,
):
    """Read-only questions. One view is one look: each thing is read at most once and remembered."""

    def boot_seconds(self) -> float: ...
    def machine_id(self) -> str: ...
    def user_id(self, name: str) -> int:
        """Return the uid of an account name or number; HostError if there is none."""
        ...

    def group_id(self, name: str) -> int: ...


class Host(Protocol):
    """The whole host, from which views are taken."""

    def look(self) -> HostView:
        """Return a fresh view."""
        ...


class HostControl(
    DatasetControl,
    DebianControl,
    EnvironmentControl,
    FirewallControl,
    JournalControl,
    PoolControl,
    ProcessChanges,
    SysctlControl,
    UnitControl,
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

    async def start_service(self, name: str, command: Command) -> Process:
        """Start a command that outlives the engine: own session, under systemd own transient unit; return its process.

        With `leaves_daemon` the process may have ended already, with pid 0 where nobody knows which it was.
        """
        ...

    def open_directory(self, path: str) -> AbstractContextManager[DirectoryHandle]:
        """Open a declared absolute directory, each component without following links."""
        ...
