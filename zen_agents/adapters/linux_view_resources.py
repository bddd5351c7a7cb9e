"""CPU, memory and pressure of the host, or of the container that the engine runs in.

In a container the limits at the root of its cgroup tree count: they are what it was given. The engine's own cgroup further
down is left out on purpose, or the memory and CPU that its unit grants the engine would pass for the host's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from zen_agents.adapters import linux_view_files
from zen_agents.adapters.linux_view_once import OnceLook
from zen_agents.adapters.linux_view_reading import read_kernel_file, require_kernel_file
from zen_agents.errors import HostError
from zen_agents.ports.host_resources import CpuTimes, DiskUse, Memory, Mount, Pressure

_TICKS = os.sysconf("SC_CLK_TCK")
_RESOURCES = frozenset({"cpu", "memory", "io"})
_MEMORY_LINE = re.compile(rb"^(MemTotal|MemAvailable|SwapTotal|SwapFree): +(\d{1,18}) kB$", re.MULTILINE)
#: What fits into 64 bits, and what the kernel prints with two decimals.
_COUNT = re.compile(rb"\d{1,20}")
_AVERAGE = re.compile(rb"\d{1,20}\.\d{1,20}|\d{1,20}")
_INACTIVE_FILE = re.compile(rb"^(?:total_)?inactive_file (\d{1,20})$", re.MULTILINE)
_PRESSURE_LINE = re.compile(rb"^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) ", re.MULTILINE)


class ResourceReader:
    """Reads what the host has and uses, as a container sees it."""

    def __init__(self, proc_root: str, cgroup_root: str) -> None:
        self._proc = proc_root
        self._cgroup = cgroup_root

    def cpu_times(self) -> CpuTimes:
        """Return busy and idle seconds; waiting for a disk is idle, what a hypervisor took away is busy."""
        line = require_kernel_file(f"{self._proc}/stat", limit=4096).split(b"\n", 1)[0].split()
        try:
            user, nice, system, idle, iowait, irq, softirq = map(_count, line[1:8])
            steal = _count(line[8]) if len(line) > 8 else 0
        except ValueError as error:
            raise HostError(f"{self._proc}/stat is not as expected") from error
        # Guest time is part of user time already.
        busy = user + nice + system + irq + softirq + steal
        return CpuTimes(busy / _TICKS, (idle + iowait) / _TICKS, self.cpu_count())

    def cpu_count(self) -> float:
        """Return how many CPUs may be used: those given to process 1, less if a quota is set."""
        try:
            # Process 1 shows what the host or container was given; the engine's own unit may have been given less.
            given = len(os.sched_getaffinity(1))
        except OSError:
            given = os.cpu_count() or 1
        quota = self._cpu_quota()
        return float(given) if quota is None else min(float(given), quota)

    def load(self) -> tuple[float, float, float]:
        """Return the load averages of 1, 5 and 15 minutes."""
        try:
            one, five, fifteen = require_kernel_file(f"{self._proc}/loadavg").split()[:3]
            return _average(one), _average(five), _average(fifteen)
        except ValueError as error:
            raise HostError(f"{self._proc}/loadavg is not as expected") from error

    def memory(self) -> Memory:
        """Return bytes; the cgroup's limit and use where they are the tighter ones."""
        found = dict(_MEMORY_LINE.findall(require_kernel_file(f"{self._proc}/meminfo")))
        try:
            total, available, swap_total, swap_free = (
                int(found[name]) * 1024 for name in (b"MemTotal", b"MemAvailable", b"SwapTotal", b"SwapFree")
            )
        except KeyError as error:
            raise HostError(f"{self._proc}/meminfo has no line {error}") from error
        host = Memory(total, available, swap_total, swap_free)
        return self._limited_v2(host) if self._is_v2() else self._limited_v1(host)

    def pressure(self, resource: str) -> Pressure | None:
        """Return the stall averages of `cpu`, `memory` or `io`, None where the kernel has none."""
        if resource not in _RESOURCES:
            raise HostError(f"no such pressure: {resource!r}; there are cpu, memory and io")
        try:
            content = read_kernel_file(f"{self._proc}/pressure/{resource}")
        except HostError:
            # Built in but switched off (psi=0): the file is there and reading it is refused. That is "has none".
            return None
        if content is None:
            return None
        try:
            rows = {row[0]: tuple(map(_average, row[1:])) for row in _PRESSURE_LINE.findall(content)}
            # Kernels before 5.13 have no line "full" for the CPU.
            return Pressure(*rows[b"some"], *rows.get(b"full", (0.0, 0.0, 0.0)))
        except (KeyError, ValueError) as error:
            raise HostError(f"{self._proc}/pressure/{resource} is not as expected") from error

    def _is_v2(self) -> bool:
        return read_kernel_file(f"{self._cgroup}/cgroup.controllers") is not None

    def _cpu_quota(self) -> float | None:
        if self._is_v2():
            fields = (read_kernel_file(f"{self._cgroup}/cpu.max") or b"").split()
            quota, period = (fields[0], fields[1]) if len(fields) == 2 else (b"max", b"0")
        else:
            quota = (read_kernel_file(f"{self._cgroup}/cpu/cpu.cfs_quota_us") or b"-1").strip()
            period = (read_kernel_file(f"{self._cgroup}/cpu/cpu.cfs_period_us") or b"0").strip()
        # "max" and -1 are no quota.
        if not (_COUNT.fullmatch(quota) and _COUNT.fullmatch(period) and int(quota) and int(period)):
            return None
        return int(quota) / int(period)

    def _limited_v2(self, host: Memory) -> Memory:
        limit = self._number("memory.max")
        if limit is None or limit >= host.total:
            return host
        swap = self._number("memory.swap.max")
        return self._within(host, limit, "memory.current", "memory.stat", swap, "memory.swap.current")

    def _limited_v1(self, host: Memory) -> Memory:
        limit = self._number("memory/memory.limit_in_bytes")
        if limit is None or limit >= host.total:
            return host
        # Version 1 limits memory and swap together; the swap alone is the difference, its use is not told.
        both = self._number("memory/memory.memsw.limit_in_bytes")
        swap = None if both is None else max(0, both - limit)
        return self._within(host, limit, "memory/memory.usage_in_bytes", "memory/memory.stat", swap, "")

    def _within(self, host: Memory, limit: int, use: str, statistics: str, swap_limit: int | None, swap_use: str) -> Memory:
        used = self._number(use)
        if used is None:
            raise HostError(f"{self._cgroup}/{use} does not tell how much memory this container uses")
        found = _INACTIVE_FILE.findall(read_kernel_file(f"{self._cgroup}/{statistics}") or b"")
        # Like the kubelet: cache that has not been used lately can be had back. v1 lists its own line before the total.
        reclaimable = int(found[-1]) if found else 0
        available = max(0, min(host.available, limit - max(0, used - reclaimable)))
        if swap_limit is None or swap_limit >= host.swap_total:
            return Memory(limit, available, host.swap_total, host.swap_free)
        swap_used = (self._number(swap_use) or 0) if swap_use else 0
        return Memory(limit, available, swap_limit, max(0, min(host.swap_free, swap_limit - swap_used)))

    def _number(self, file: str) -> int | None:
        """Return the number in a cgroup file, None for "max", a missing file or a file without one."""
        content = (read_kernel_file(f"{self._cgroup}/{file}") or b"").strip()
        return int(content) if _COUNT.fullmatch(content) else None


def _count(field: bytes) -> int:
    """Return a count as the kernel writes one; ValueError for anything else."""
    if not _COUNT.fullmatch(field):
        raise ValueError(f"{field[:40]!r} is no count")
    return int(field)


def _average(field: bytes) -> float:
    """Return an average as the kernel writes one; ValueError for anything else, `nan` and `inf` too."""
    if not _AVERAGE.fullmatch(field):
        raise ValueError(f"{field[:40]!r} is no average")
    return float(field)


class ResourceLook(OnceLook):
    """Part of `LinuxView`: implements `ports.host_resources.ResourceView`."""

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
        return self._once("mounts", self._host.mounts.mounts)

    def disk_use(self, path: str) -> DiskUse:
        """Return the use of the file system that holds `path`, as df counts it."""
        return self._once(("disk_use", path), lambda: linux_view_files.disk_use(path))
