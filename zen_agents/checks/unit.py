"""What systemd says of a unit.

A unit that ended well, is disabled or masked was stopped by a person: that is told (PROBLEM with the fact
`stopped_by_person`), and a guard refuses to start it (R28). While systemd itself is starting, stopping or restarting it
nobody can tell yet; that ends after a grace, since a unit that is starting for ever is not running.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_units import Unit

_SWITCHED_OFF = frozenset({"disabled", "masked", "masked-runtime"})
_RUNNING = frozenset({"active", "reloading", "refreshing"})
_DOWN = frozenset({"inactive", "failed"})
_ON_THE_WAY = frozenset({"activating", "deactivating", "maintenance"})
#: Zombie and dead, as ps writes them.
_ENDED = frozenset("ZXx")
#: How long (seconds) systemd may be on the way before that counts as not running.
_GRACE = 45.0


class UnitCheck(Check):
    """Observes `unit.NAME` (judged) of one systemd unit."""

    __slots__ = ("_is_running", "_on_the_way_since", "_unit", "_watches")

    kind = "unit"
    summary = "Does systemd say that this unit is running?"

    def __init__(self, service: str, unit: str, *, every_seconds: float) -> None:
        super().__init__(name=f"unit.{service}", target=f"service:{service}", every_seconds=every_seconds)
        self._unit = unit
        self._watches: tuple[Watch, ...] = (Watch("unit", unit),)
        #: Steady time since when systemd is starting, stopping or restarting it.
        self._on_the_way_since: float | None = None
        self._is_running = False

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask systemd; all units of a look come in one call."""
        self._is_running = False
        unit = host.unit(self._unit)
        if unit is None:
            known = "does not know" if host.has_systemd() else "does not run this host, so nobody knows"
            raise HostError(f"systemd {known} {self._unit}")
        process = host.process(unit.main_pid) if unit.main_pid > 0 else None
        self._watches = (Watch("unit", unit.id), *_main_process(unit, process))
        status, said = self._judge(unit, process, now)
        self._is_running = status is Status.OK
        facts = {"unit": unit.id, "state": f"{unit.active_state} ({unit.sub_state})", "restarts": str(unit.restarts)}
        if status is Status.PROBLEM and was_stopped_by_person(unit):
            facts["stopped_by_person"] = "yes"
        fingerprint = f"{unit.id}:{unit.invocation}:{unit.changed_us}"
        return (Observation(self.name, self.target, status, now, None, said, fingerprint, facts),)

    def is_running(self) -> bool:
        """Tell whether the last look found it running."""
        return self._is_running

    def watches(self) -> Sequence[Watch]:
        """Return systemd's change notices, and the pidfd of the main process, which is faster."""
        return self._watches

    def _judge(self, unit: Unit, process: Process | None, now: Instant) -> tuple[Status, str]:
        state = f"{unit.id} is {unit.active_state} ({unit.sub_state})"
        # A unit that waits for its turn in a restart of another one is down between two jobs, and nobody stopped it.
        if unit.active_state in _ON_THE_WAY or (unit.busy and unit.active_state in _DOWN):
            since = self._on_the_way_since = self._on_the_way_since if self._on_the_way_since is not None else now.steady
            if now.steady - since < _GRACE:
                return Status.UNKNOWN, f"{state}; systemd is at it"
            return Status.PROBLEM, f"{state} for {now.steady - since:.0f} s"
        self._on_the_way_since = None
        if unit.active_state in _RUNNING:
            return _running(process, state)
        if unit.active_state not in _DOWN:
            return Status.UNKNOWN, f"{state}, which is no state that is known"
        if was_stopped_by_person(unit):
            return Status.PROBLEM, f"{state}: stopped by a person, not by a fault"
        return Status.PROBLEM, f"{state}, result {unit.result or 'not told'}"


def _running(process: Process | None, state: str) -> tuple[Status, str]:
    if process is not None and process.state in _ENDED:
        return Status.UNKNOWN, f"{state}, but its process {process.pid} has just ended and systemd has not noticed yet"
    return Status.OK, state


def was_stopped_by_person(unit: Unit) -> bool:
    """Tell whether the unit's state is a person's doing: it ended well, or it is disabled or masked."""
    if unit.load_state == "masked" or unit.unit_file_state in _SWITCHED_OFF:
        return unit.active_state in _DOWN
    return unit.active_state == "inactive" and unit.result == "success"


def _main_process(unit: Unit, process: Process | None) -> Sequence[Watch]:
    return (Watch("process", unit.id, process.pid, process.start_time),) if process is not None else ()
