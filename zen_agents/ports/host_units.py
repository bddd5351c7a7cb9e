"""Units of systemd: their state, what they need and take along, and how what it was asked to do with one ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from zen_agents.errors import HostError

#: A unit that takes more than this along is not followed to its end.
_MOST_UNITS = 500


class Unit(NamedTuple):
    """What `systemctl show` says of a unit."""

    #: Canonical id; an alias is resolved to it.
    id: str
    load_state: str
    active_state: str
    sub_state: str
    result: str
    unit_file_state: str
    main_pid: int
    restarts: int
    #: Steady-independent identity of the present run: InvocationID.
    invocation: str
    #: Changes with each state change: StateChangeTimestampMonotonic, microseconds.
    changed_us: int
    #: A job (start, stop) is queued or running.
    busy: bool
    #: What a stop or restart takes along: RequiredBy, BoundBy, ConsistsOf, PropagatesStopTo.
    takes_along: tuple[str, ...]
    #: systemd's own limiter: StartLimitBurst starts within StartLimitIntervalUSec.
    start_limit_burst: int
    start_limit_interval_seconds: float
    slice: str = ""
    #: When it last ceased to be active, and when its main process last ended, in microseconds since boot; 0 if never.
    left_active_us: int = 0
    main_exit_us: int = 0

    @property
    def was_stopped(self) -> bool:
        """True if systemd began to stop it while its main process still ran: somebody asked for that, it did not fail."""
        return self.active_state in ("inactive", "failed") and 0 < self.left_active_us < self.main_exit_us


class UnitJob(NamedTuple):
    """How what systemd was asked to do with a unit ended."""

    #: systemd's word: done, failed, dependency, canceled, ...; "refused" where it did not even try, "" when time was over.
    result: str
    #: What was said about it. Untrusted text.
    output: str = ""
    timed_out: bool = False


class UnitView(Protocol):
    """Read-only questions to systemd; a host without it knows no unit."""

    def has_systemd(self) -> bool: ...

    def system_state(self) -> str:
        """Return `systemctl is-system-running`'s word, "" without systemd."""
        ...

    def unit(self, name: str) -> Unit | None:
        """Return a unit's state, None if it is not known to systemd. All units asked for before come in one call."""
        ...

    def unit_needs(self, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return what each of these units cannot run without, as (relation, unit): `("Requires", "db.service")`.

        Requires, Requisite, BindsTo and PartOf; of a socket what it Triggers. Not remembered; empty without systemd.
        """
        ...


class UnitControl(Protocol):
    """The part of `HostControl` that asks systemd to do something."""

    async def restart_unit(self, name: str, *, timeout_seconds: float, fresh_limit: bool = False) -> UnitJob:
        """Have systemd restart a unit, and wait for that to end; it is asked once at most.

        With `fresh_limit` systemd first forgets how often it has started it (`systemctl reset-failed`).
        HostError if nobody knows how it ended. systemd goes on with what it was asked, whoever stops waiting.
        """
        ...

    async def reload_unit(self, name: str, *, timeout_seconds: float) -> UnitJob:
        """Have systemd tell a unit that runs to read its configuration anew; otherwise as above. It is never restarted."""
        ...


def with_all_taken_along(direct: Mapping[str, Unit], host: UnitView) -> dict[str, Unit | None]:
    """Return units and, transitively, all that a stop or restart of them takes along, by canonical id.

    None stands for one that systemd does not know: its name is all there is to judge. Raises HostError if they are too many.
    """
    found: dict[str, Unit | None] = dict(direct)
    waiting = [name for unit in direct.values() for name in unit.takes_along]
    seen = set(found)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if len(seen) > _MOST_UNITS:
            raise HostError(f"a restart would take more than {_MOST_UNITS} units along")
        unit = host.unit(name)
        found[unit.id if unit else name] = unit
        waiting += unit.takes_along if unit else ()
    return found
