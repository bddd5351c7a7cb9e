"""Whether the main process of a service lives.

Once it is known, a look is one read of /proc/PID/stat: pid and start time name the process for good (R20), so nothing else
has to be read. Its exit needs no second look, and a pidfd wakes the engine in the moment it happens. A zombie is dead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process

#: Zombie and dead, as ps writes them.
_ENDED = frozenset("ZXx")
#: What may be measured of the process besides whether it lives.
METRICS = ("cpu_percent", "rss", "descriptors_percent")


class Finder(Protocol):
    """Finds the main process of a service when it is not known (any more)."""

    def __call__(self, host: HostView) -> Process | None:
        """Return the process, None if there surely is none; HostError if that cannot be told."""
        ...


class ByRecord:
    """The process that the engine last started for this service."""

    __slots__ = ("_service",)

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, host: HostView) -> Process | None:
        return host.service_process(self._service)


class ByPidfile:
    """The process that a pidfile names, if the pidfile may be believed."""

    __slots__ = ("_executable", "_path", "_user")

    def __init__(self, path: str, *, user: str = "", executable: str = "") -> None:
        self._path, self._user, self._executable = path, user, executable

    def __call__(self, host: HostView) -> Process | None:
        return host.pidfile_process(self._path, user=self._user, executable=self._executable)


class ByUnit:
    """The main process of a systemd unit."""

    __slots__ = ("_unit",)

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def __call__(self, host: HostView) -> Process | None:
        unit = host.unit(self._unit)
        return host.process(unit.main_pid) if unit is not None and unit.main_pid > 0 else None


class ProcessCheck(Check):
    """Observes `process.NAME` (judged), and `.cpu_percent`, `.rss` (bytes), `.descriptors_percent` where they are wanted."""

    __slots__ = ("_find", "_fingerprint", "_known", "_last", "_metrics", "_names", "_said", "_watches")

    kind = "process"
    summary = "Does the main process of this service live?"

    def __init__(self, service: str, find: Finder, *, every_seconds: float, metrics: Collection[str] = ()) -> None:
        super().__init__(name=f"process.{service}", target=f"service:{service}", every_seconds=every_seconds)
        self._find = find
        self._metrics = tuple(metric for metric in METRICS if metric in metrics)
        self._names = (self.name, *(f"{self.name}.{metric}" for metric in self._metrics))
        self._known: Process | None = None
        self._fingerprint = self._said = ""
        self._watches: tuple[Watch, ...] = ()
        #: CPU seconds and steady time of the last look, of the known process.
        self._last: tuple[float, float] | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look whether the known process still is there; only if not, find the present one."""
        known = self._known
        process = host.process(known.pid) if known is not None else None
        if process is None or known is None or process.start_time != known.start_time or process.state in _ENDED:
            process = self._look_for(host)
        if process is None or process.state in _ENDED:
            return self._gone(process, now)
        alive = Observation(self.name, self.target, Status.OK, now, None, self._said, self._fingerprint)
        if not self._metrics:
            return (alive,)
        return (alive, *(self._metric(metric, process, host, now) for metric in self._metrics))

    def watches(self) -> Sequence[Watch]:
        """Return the pidfd watch of the living process."""
        return self._watches

    def _look_for(self, host: HostView) -> Process | None:
        self._known, self._last, self._watches = None, None, ()
        process = self._find(host)
        if process is not None and process.state not in _ENDED:
            self._known, self._fingerprint = process, process.fingerprint
            self._said = f"process {process.pid} ({process.name}) runs"
            self._watches = (Watch("process", self.name, process.pid, process.start_time),)
        return process

    def _gone(self, process: Process | None, now: Instant) -> Sequence[Observation]:
        # Which process it was stays in mind until there is another one.
        last = self._fingerprint
        if process is not None:
            why = f"process {process.pid} ({process.name}) has ended and its parent has not noticed (zombie)"
        else:
            why = f"its process {last.split(':')[0]} has ended" if last else "no process of it runs"
        judged = Observation(self.name, self.target, Status.PROBLEM, now, None, why, last)
        return (judged, *(untold(self, name, now, why) for name in self._names[1:]))

    def _metric(self, metric: str, process: Process, host: HostView, now: Instant) -> Observation:
        name = f"{self.name}.{metric}"
        if metric == "rss":
            return measured(self, name, now, process.resident_bytes, fingerprint=self._fingerprint)
        if metric == "cpu_percent":
            return self._cpu(name, process, now)
        opened, limit = host.descriptors(process)
        percent = 100.0 * opened / limit if limit > 0 else float("nan")
        return measured(self, name, now, percent, f"{opened} of {limit} descriptors", fingerprint=self._fingerprint)

    def _cpu(self, name: str, process: Process, now: Instant) -> Observation:
        last, self._last = self._last, (process.cpu_seconds, now.steady)
        if last is None or now.steady <= last[1]:
            return untold(self, name, now, "first look; the next one can compare")
        percent = 100.0 * (process.cpu_seconds - last[0]) / (now.steady - last[1])
        return measured(self, name, now, percent, f"{percent:.0f} % of a CPU", fingerprint=self._fingerprint)
