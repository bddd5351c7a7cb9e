"""What the cgroups of processes grant them, in version 2 and in version 1."""

from __future__ import annotations

import posixpath
import re

from zen_agents.adapters.linux_view_reading import read_kernel_file

_BYTES = re.compile(rb"\d{1,20}")
#: Version 1 writes "no limit" as the largest number of whole pages.
_NO_LIMIT = 2**62


class CgroupReader:
    """Reads limits below the mount of the cgroups."""

    def __init__(self, cgroup_root: str) -> None:
        self._root = cgroup_root

    def memory_limit(self, path: str) -> int | None:
        """Return the tightest memory limit of a cgroup and all above it, in bytes; None for none."""
        is_v2 = read_kernel_file(f"{self._root}/cgroup.controllers") is not None
        folder, file = (self._root, "memory.max") if is_v2 else (f"{self._root}/memory", "memory.limit_in_bytes")
        limits = []
        while path.startswith("/"):
            content = (read_kernel_file(f"{folder}{path.rstrip('/')}/{file}") or b"").strip()
            if _BYTES.fullmatch(content) and int(content) < _NO_LIMIT:
                limits.append(int(content))
            if path == "/":
                break
            path = posixpath.dirname(path)
        return min(limits, default=None)
