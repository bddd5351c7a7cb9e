"""The process table of a look, read once, and what each process of it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zen_agents.adapters.linux_view_once import OnceLook
from zen_agents.ports.host_processes import Process, by_parent


class TableLook(OnceLook):
    """Part of `LinuxView`: implements `ports.host_processes.ProcessView`."""

    _processes: dict[int, Process | None]
    _table: dict[int, Process] | None

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

    def cgroup(self, process: Process) -> str:
        """Return the cgroup's path; HostError if the process is gone."""
        return self._once(("cgroup", process.fingerprint), lambda: self._host.processes.cgroup(process))

    def descriptors(self, process: Process) -> tuple[int, int]:
        """Return (open descriptors, soft limit); HostError if the process is gone or may not be looked into."""
        return self._host.processes.descriptors(process)

    def children(self) -> Mapping[int, Sequence[Process]]:
        """Return the children of each process that has some, by its pid."""
        return self._once("children", lambda: by_parent(self.processes()))

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
