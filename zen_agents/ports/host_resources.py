"""What a host has to give: processors, memory, file systems, and how much of it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from zen_agents.dataclass import dataclass


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


class ResourceView(Protocol):
    """Read-only questions about what a host has to give."""

    def cpu_times(self) -> CpuTimes: ...
    def load(self) -> tuple[float, float, float]: ...
    def memory(self) -> Memory: ...

    def pressure(self, resource: str) -> Pressure | None:
        """Return the stall averages of `cpu`, `memory` or `io`; None where the kernel has none."""
        ...

    def mounts(self) -> Sequence[Mount]: ...
    def disk_use(self, path: str) -> DiskUse: ...
