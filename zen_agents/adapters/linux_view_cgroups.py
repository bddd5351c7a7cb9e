"""What the cgroups of processes grant them, in version 2 and in version 1."""

from __future__ import annotations

import posixpath
import re

from zen_agents.adapters.linux_view_reading import read_kernel_file

_NUMBER = re.compile(rb"\d{1,20}")
#: Version 1 writes "no limit" as the largest number of whole pages.
_NO_LIMIT = 2**62


class CgroupReader:
    """Reads limits below the mount of the cgroups."""

    def __init__(self, cgroup_root: str) -> None:
        self._root = cgroup_root

    def memory_limit(self, path: str) -> int | None:
        """Return the tightest memory limit of a cgroup and all above it, in bytes; None for none."""
        folder, file = (self._root, "memory.max") if self._is_v2() else (f"{self._root}/memory", "memory.limit_in_bytes")
        limits = []
        while path.startswith("/"):
            content = (read_kernel_file(f"{folder}{path.rstrip('/')}/{file}") or b"").strip()
            if _NUMBER.fullmatch(content) and int(content) < _NO_LIMIT:
                limits.append(int(content))
            if path == "/":
                break
            path = posixpath.dirname(path)
        return min(limits, default=None)

    def cpu_quota(self, path: str) -> float | None:
        """Return the percent of one CPU that a cgroup may use by its own limit, None for no limit."""
        if self._is_v2():
            fields = (read_kernel_file(f"{self._root}{path}/cpu.max") or b"").split()
        else:
            names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            fields = [(read_kernel_file(f"{self._root}/cpu{path}/{name}") or b"").strip() for name in names]
        # "max" and -1 are no limit.
        if len(fields) != 2 or not all(map(_NUMBER.fullmatch, fields)) or not int(fields[1]):
            return None
        return 100.0 * int(fields[0]) / int(fields[1])

    def can_limit_cpu(self) -> bool:
        """Tell whether there is a CPU controller to be had."""
        if self._is_v2():
            return b"cpu" in (read_kernel_file(f"{self._root}/cgroup.controllers") or b"").split()
        return read_kernel_file(f"{self._root}/cpu/cpu.shares") is not None

    def _is_v2(self) -> bool:
        return read_kernel_file(f"{self._root}/cgroup.controllers") is not None
