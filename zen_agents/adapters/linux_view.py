"""One look at the host as it is.

Reads /proc directly: one process costs about as much as the kernel takes for it, the whole table is read once a look.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.adapters.linux_view_contents import ContentLook
from zen_agents.adapters.linux_view_datasets import DatasetLook
from zen_agents.adapters.linux_view_files import FileLook
from zen_agents.adapters.linux_view_last_good import LastGoodLook
from zen_agents.adapters.linux_view_logs import LogLook
from zen_agents.adapters.linux_view_network import NetworkLook
from zen_agents.adapters.linux_view_occupied import OccupationLook
from zen_agents.adapters.linux_view_resources import ResourceLook
from zen_agents.adapters.linux_view_units import UnitLook
from zen_agents.adapters.linux_view_use import UseLook
from zen_agents.adapters.linux_view_workers import WorkerLook

if TYPE_CHECKING:
    from zen_agents.adapters.linux_host import LinuxHost
    from zen_agents.ports.host_files import FileState
    from zen_agents.ports.host_processes import Process
    from zen_agents.ports.host_units import Unit


class LinuxView(
    ContentLook,
    DatasetLook,
    FileLook,
    LastGoodLook,
    LogLook,
    NetworkLook,
    OccupationLook,
    ResourceLook,
    UnitLook,
    UseLook,
    WorkerLook,
):
    """One look at a `LinuxHost`; implements `ports.host.HostView`. What could not be told once is not asked again."""

    def __init__(self, host: LinuxHost) -> None:
        self._host = host
        self._seen: dict[Hashable, Any] = {}
        self._files: dict[str, FileState | None] = {}
        self._listed: dict[str, Sequence[FileState]] = {}
        self._listed_entries = 0
        self._users: dict[str, int] = {}
        self._groups: dict[str, int] = {}
        self._processes: dict[int, Process | None] = {}
        self._table: dict[int, Process] | None = None
        self._units: dict[str, Unit | None] = {}
