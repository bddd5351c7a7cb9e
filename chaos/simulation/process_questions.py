"""What is asked of the processes of a simulated host, and of whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chaos.simulation.asking import Questions, absolute
from chaos.simulation.process import SimulatedProcess
from zen_agents.errors import HostError, ProcessGoneError
from zen_agents.ports.host_process_use import Busy
from zen_agents.ports.host_processes import Process, by_parent

_ENDED = "ZX"


class ProcessQuestions(Questions):
    """The part of `SimulatedView` that implements the ports about processes and accounts."""

    def process(self, pid: int) -> Process | None:
        return self._once("process", lambda: self._present(pid), pid)

    def processes(self) -> Mapping[int, Process]:
        return self._once("processes", lambda: {pid: entry.process for pid, entry in self._host.processes.items()})

    def command_line(self, process: Process) -> tuple[str, ...]:
        entry = self._entry(process)
        return self._ask("command_line", lambda: entry.argv if entry else ())

    def executable(self, process: Process) -> str:
        entry = self._entry(process)
        return self._ask("executable", lambda: entry.executable if entry else "")

    def owner(self, process: Process) -> int:
        return self._ask("owner", lambda: self._required(process).owner)

    def cgroup(self, process: Process) -> str:
        return self._ask("cgroup", lambda: self._required(process).cgroup)

    def descriptors(self, process: Process) -> tuple[int, int]:
        return self._ask("descriptors", lambda: self._required(process).descriptors)

    def children(self) -> Mapping[int, Sequence[Process]]:
        return self._once("children", lambda: by_parent(self.processes()))

    def memory_limit(self, process: Process) -> int | None:
        return self._ask("memory_limit", lambda: self._required(process).memory_limit)

    def busy_processes(self, above_percent: float) -> Sequence[Busy]:
        return self._once("busy_processes", lambda: self._busy(above_percent), above_percent)

    def replaced_files(self, process: Process) -> Sequence[str]:
        entry = self._entry(process)
        return self._ask("replaced_files", lambda: entry.replaced if entry else ())

    def oom_kills(self) -> int:
        return self._ask("oom_kills", lambda: len(self._host.oom_victims))

    def oom_victims(self, most: int) -> Sequence[str]:
        return self._ask("oom_victims", lambda: self._host.oom_victims[-most:])

    def cpu_quota(self, cgroup: str) -> float | None:
        return self._ask("cpu_quota", lambda: self._host.cpu_quotas.get(cgroup))

    def can_limit_cpu(self) -> bool:
        return self._ask("can_limit_cpu", lambda: self._host.limits_cpu)

    def niceness(self, process: Process) -> int:
        return self._ask("niceness", lambda: self._required(process).niceness)

    def sleeps(self, process: Process) -> int:
        return self._ask("sleeps", lambda: self._required(process).sleeps)

    def kernel_stack(self, process: Process) -> Sequence[str]:
        return self._ask("kernel_stack", lambda: self._host.stacks.get(process.pid, ()))

    def service_process(self, name: str) -> Process | None:
        return self._once("service_process", lambda: self._recorded(name), name)

    def pidfile_process(self, path: str, *, user: str = "", executable: str = "") -> Process | None:
        key = (path, user, executable)
        return self._once("pidfile_process", lambda: self._by_pidfile(path, user, executable), key)

    def deleted_open_files(self) -> Sequence[tuple[Process, int, str, int]]:
        return self._once("deleted_open_files", self._deleted)

    def listeners(self, port: int) -> Sequence[int]:
        entries = self._host.processes.items()
        return self._once("listeners", lambda: sorted(pid for pid, entry in entries if port in entry.ports), port)

    def user_id(self, name: str) -> int:
        return self._ask("user_id", lambda: _id(name, self._host.accounts, "account"))

    def group_id(self, name: str) -> int:
        return self._ask("group_id", lambda: _id(name, self._host.groups, "group"))

    def _present(self, pid: int) -> Process | None:
        entry = self._host.processes.get(pid)
        return entry.process if entry else None

    def _entry(self, process: Process) -> SimulatedProcess | None:
        entry = self._host.processes.get(process.pid)
        return entry if entry and entry.process.start_time == process.start_time else None

    def _required(self, process: Process) -> SimulatedProcess:
        entry = self._entry(process)
        if entry is None:
            raise ProcessGoneError(f"process {process.fingerprint} ({process.name}) is gone")
        return entry

    def _alive(self, pid: int) -> SimulatedProcess | None:
        entry = self._host.processes.get(pid)
        return None if entry is None or entry.process.state in _ENDED else entry

    def _busy(self, above_percent: float) -> Sequence[Busy]:
        now = self._host.clock.now().steady
        entries = [entry for entry in self._host.processes.values() if entry.busy[0] > above_percent]
        looked = self._host.busy_since_first_look
        return [
            Busy(entry.process, entry.busy[0], now - max(entry.busy[1], looked), entry.busy[1] <= looked)
            for entry in sorted(entries, key=lambda each: each.busy[1])
        ]

    def _recorded(self, name: str) -> Process | None:
        pid, start_time = self._host.records.get(name, (0, 0))
        entry = self._alive(pid)
        return entry.process if entry and entry.process.start_time == start_time else None

    def _by_pidfile(self, path: str, user: str, executable: str) -> Process | None:
        state = self._host.files.states.get(absolute(path))
        if state is None:
            return None
        text = self._host.files.read(path, 128).strip().partition("\n")[0]
        if not text.isdigit():
            raise HostError(f"{path} holds no process number")
        if not (user and executable) and (state.owner != 0 or state.mode & 0o022):
            raise HostError(f"others can write {path}, so its pid counts only with user: and executable: given")
        entry = self._alive(int(text))
        if entry is None or (user and entry.owner != self.user_id(user)):
            return None
        return entry.process if not executable or entry.executable == executable else None

    def _deleted(self) -> list[tuple[Process, int, str, int]]:
        entries = self._host.processes.values()
        return [(entry.process, number, *held) for entry in entries for number, held in entry.deleted.items()]


def _id(name: str, known: Mapping[str, int], what: str) -> int:
    if name.isascii() and name.isdigit() and int(name) < 2**32 - 1:
        return int(name)
    if name not in known:
        raise HostError(f"there is no {what} {name!r} on this host")
    return known[name]
