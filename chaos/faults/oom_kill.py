"""The kernel ends a worker of a service for want of memory."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import argv, of_unit
from chaos.waiting import wait_until
from chaos.workload import has_own_hierarchy, install, start_unit, struck

#: Where the hierarchy of memory is mounted inside; its groups are those of the kernel, so ours is named after the host.
_MOUNT = "/run/chaos-memory"
_LIMIT_MIB = 48
_STARTED_WITHIN_SECONDS, _STRUCK_WITHIN_SECONDS = 10.0, 20.0


@dataclass(frozen=True, slots=True)
class OomKill(Fault):
    """A worker takes more memory than its control group may have, and the kernel ends it; the service itself goes on."""

    name = "oom_kill"

    unit: str = "batch"

    def why_not(self) -> str:
        return "" if has_own_hierarchy("memory") else "needs the memory controller of control groups, version 1"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", _MOUNT, self.REMEMBERED], check=True)
        host.run(["mount", "-t", "cgroup", "-o", "memory", "none", _MOUNT], check=True)
        install(host, self._worker, "worker.py")
        work = f"{self._worker} {self._go} {self._group(host)}"
        # That it ended is nothing to its parent, as with most pools of workers.
        start_unit(host, self.unit, ["/bin/sh", "-c", f"'{work} & sleep infinity'"], "Restart=no", "OOMPolicy=continue")
        wait_until(lambda: self.is_gone(host), "the worker", seconds=_STARTED_WITHIN_SECONDS)

    def inject(self, host: DisposableHost) -> float:
        group = self._group(host)
        host.run(["mkdir", group], check=True)
        try:
            limit = f"echo {_LIMIT_MIB << 20} > {group}/memory.limit_in_bytes"
            host.run(["sh", "-c", limit], check=True)
            before = self._kills(host)
            at = struck(host, ("run", "touch", self._go))
            wait_until(lambda: self._kills(host) > before, "the kernel", seconds=_STRUCK_WITHIN_SECONDS)
        finally:
            self._remove(host, group)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        """Tell whether the worker is there again; nobody here starts one."""
        return any(self._worker in argv(pid) for pid in of_unit(host, self.unit))

    def _group(self, host: DisposableHost) -> str:
        return f"{_MOUNT}/{host.name}-worker"

    @property
    def _worker(self) -> str:
        return f"/srv/{self.unit}/worker"

    @property
    def _go(self) -> str:
        return f"{self.REMEMBERED}/go"

    @staticmethod
    def _kills(host: DisposableHost) -> int:
        lines = host.read_file("/proc/vmstat").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    @staticmethod
    def _remove(host: DisposableHost, group: str) -> None:
        # It is the kernel's own: with the host's root it would not go.
        wait_until(lambda: host.run(["rmdir", group]).returncode == 0, "that the group is empty", seconds=10)
