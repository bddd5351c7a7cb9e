"""What processes use and run with, and what their control groups grant."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.adapters.linux_view_table import TableLook
from zen_agents.ports.host_process_use import Busy
from zen_agents.ports.host_processes import Process


class UseLook(TableLook):
    """Part of `LinuxView`: implements `ports.host_process_use.ProcessUseView`."""

    def replaced_files(self, process: Process) -> Sequence[str]:
        """Return mapped libraries and the program that were replaced since; HostError if it may not be looked into."""
        from zen_agents.adapters.linux_view_mapped import replaced_files  # noqa: PLC0415 - where it is asked for only

        found = replaced_files(self._host.proc_root, process.pid)
        return found if found and self._host.processes.is_same(process) else ()

    def oom_kills(self) -> int:
        """Return how many the kernel has ended since boot; HostError where it does not count them."""
        from zen_agents.adapters import linux_view_oom  # noqa: PLC0415 - where it is asked for only

        return linux_view_oom.kills(self._host.proc_root)

    def oom_victims(self, most: int) -> Sequence[str]:
        """Return `name (pid)` of the last ones; HostError if the kernel's log may not be read."""
        from zen_agents.adapters import linux_view_oom  # noqa: PLC0415 - as above

        return linux_view_oom.victims("/dev/kmsg", most)

    def cpu_quota(self, cgroup: str) -> float | None:
        """Return the percent of one CPU that a cgroup may use by its own limit, None for no limit."""
        return self._host.cgroups.cpu_quota(cgroup)

    def can_limit_cpu(self) -> bool:
        """Tell whether the control groups of this host can limit CPUs at all."""
        return self._host.cgroups.can_limit_cpu()

    def niceness(self, process: Process) -> int:
        """Return the niceness, from -20 to 19; HostError if the process is gone."""
        return self._host.processes.niceness(process)

    def sleeps(self, process: Process) -> int:
        """Return how often its first thread has gone to sleep by itself; HostError if the process is gone."""
        return self._host.processes.sleeps(process)

    def memory_limit(self, process: Process) -> int | None:
        """Return the tightest memory limit of its cgroups in bytes, None for none; HostError if the process is gone."""
        path = self.cgroup(process)
        return self._once(("memory_limit", path), lambda: self._host.cgroups.memory_limit(path))

    def busy_processes(self, above_percent: float) -> Sequence[Busy]:
        """Return who uses more of one CPU than that since the look before; HostError at the first look of all."""
        return self._once(("busy", above_percent), lambda: self._host.busy.busy(above_percent, self.processes()))
