"""systemd's units: one question over D-Bus, or one child of `systemctl show`, for all units of a look."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from zen_agents.adapters.linux_view_once import OnceLook
from zen_agents.adapters.linux_view_reading import run_bounded
from zen_agents.adapters.systemd_bus import BusError, SystemdBus
from zen_agents.errors import HostError
from zen_agents.ports.host_units import Unit

_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,MainPID,NRestarts,InvocationID,StateChangeTimestampMonotonic,Job,"
    "RequiredBy,BoundBy,ConsistsOf,PropagatesStopTo,StartLimitBurst,StartLimitIntervalUSec,Slice,"
    "ActiveExitTimestampMonotonic,ExecMainExitTimestampMonotonic"
)
#: What a unit cannot run without; and what a socket starts, which answers behind it.
_NEEDS, _STARTS = ("Requires", "Requisite", "BindsTo", "PartOf"), "Triggers"
#: Units named in one call, and how long that may take (seconds); asked rarely.
_MOST_NAMES, _NEEDS_SECONDS = 200, 5.0
_TAKES_ALONG = ("RequiredBy", "BoundBy", "ConsistsOf", "PropagatesStopTo")
_KINDS = "service|socket|target|timer|mount|automount|swap|path|slice|scope|device"
#: What may be handed to systemctl as a name; a template without an instance (`a@.service`) has no state.
_NAME = re.compile(rf"(?!.*@\.)[A-Za-z0-9:_.\\@-]{{1,240}}\.(?:{_KINDS})")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)")
_SPAN_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "month": 2629800.0,
    "y": 31557600.0,
}
#: What was told so long ago (seconds) is what is told now.
_JUST_NOW = 0.1
_SYSTEM_STATES = frozenset(
    ["initializing", "starting", "running", "degraded", "maintenance", "stopping", "offline", "unknown"]
)


class UnitReader:
    """Asks systemd over D-Bus if there is one, else systemctl, with names that were checked and behind `--`."""

    def __init__(self, systemctl: str, timeout_seconds: float, bus: SystemdBus | None = None) -> None:
        self._systemctl = systemctl
        self._timeout_seconds = timeout_seconds
        self._bus = bus
        #: When systemd last told the state of the system along with units (monotonic seconds), and what.
        self._heard = (float("-inf"), "")

    def units(self, names: Sequence[str]) -> Mapping[str, Unit | None]:
        """Return the units by the names they were asked by, None for one that systemd does not know.

        Raises HostError if systemd does not answer in time, or not for each name.
        """
        if self._bus is not None:
            # What systemctl then says counts: it may know a way to systemd that we do not.
            with contextlib.suppress(BusError):
                units, state = self._bus.units(names)
                self._heard = time.monotonic(), state
                return units
        argv = (self._systemctl, "show", "--no-pager", f"--property={_PROPERTIES}", "--", *names)
        code, output = run_bounded(argv, timeout_seconds=self._timeout_seconds)
        blocks = [block for block in output.split("\n\n") if block.strip()]
        if code or len(blocks) != len(names):
            raise HostError(f"systemctl show gave {len(blocks)} answers for {len(names)} units (exit code {code})")
        return {name: parse_unit(block) for name, block in zip(names, blocks, strict=True)}

    def needs(self, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return what these units cannot run without, by canonical id, as (relation, unit); HostError if nobody says."""
        found: dict[str, Sequence[tuple[str, str]]] = {}
        properties = ",".join(("Id", *_NEEDS, _STARTS))
        for start in range(0, len(names), _MOST_NAMES):
            argv = (self._systemctl, "show", f"--property={properties}", "--", *names[start : start + _MOST_NAMES])
            _, output = run_bounded(argv, timeout_seconds=max(self._timeout_seconds, _NEEDS_SECONDS))
            for block in output.split("\n\n"):
                said = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
                if unit := said.get("Id", ""):
                    relations = (*_NEEDS, _STARTS) if unit.endswith(".socket") else _NEEDS
                    found[unit] = [(name, other) for name in relations for other in said.get(name, "").split()]
        return found

    def file_pending(self, name: str) -> bool:
        """Tell whether the unit's files changed since systemd read them; HostError if systemd does not say."""
        argv = (self._systemctl, "show", "--property=NeedDaemonReload", "--", unit_name(name))
        _, output = run_bounded(argv, timeout_seconds=max(self._timeout_seconds, _NEEDS_SECONDS))
        key, _, word = output.strip().partition("=")
        if key != "NeedDaemonReload":
            raise HostError(f"systemctl does not say whether it has read the files of {name}")
        return word == "yes"

    def system_state(self) -> str:
        """Return the word of `systemctl is-system-running`; HostError if it gives none that is known."""
        at, state = self._heard
        if time.monotonic() - at < _JUST_NOW:
            return _known_word(state)
        if self._bus is not None:
            with contextlib.suppress(BusError):
                return _known_word(self._bus.system_state())
        # The exit code is 1 for every word but "running".
        _, output = run_bounded((self._systemctl, "is-system-running"), timeout_seconds=self._timeout_seconds)
        return _known_word(output.strip())


def _known_word(word: str) -> str:
    if word not in _SYSTEM_STATES:
        raise HostError(f"systemd says that the system is {word[:80]!r}")
    return word


def unit_name(name: str) -> str:
    """Return a unit's full name, `.service` added where no kind is given; HostError if it can be none."""
    full = name if re.search(rf"\.(?:{_KINDS})$", name) else f"{name}.service"
    if not _NAME.fullmatch(full) or full.startswith("-"):
        raise HostError(f"{name!r} is not the name of a unit")
    return full


def parse_unit(block: str) -> Unit | None:
    """Return what one block of `systemctl show` says; None for a unit that is not found."""
    said = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
    if said.get("LoadState") == "not-found" and said.get("ActiveState") in ("inactive", None):
        return None
    try:
        return Unit(
            id=said["Id"],
            load_state=said["LoadState"],
            active_state=said["ActiveState"],
            sub_state=said["SubState"],
            result=said.get("Result", ""),
            unit_file_state=said.get("UnitFileState", ""),
            main_pid=int(said.get("MainPID", "0")),
            restarts=int(said.get("NRestarts", "0")),
            invocation=said.get("InvocationID", ""),
            changed_us=int(said.get("StateChangeTimestampMonotonic", "0")),
            # Without a job the line is missing; versions differ on "0".
            busy=said.get("Job", "0") not in ("", "0"),
            takes_along=tuple(dict.fromkeys(unit for key in _TAKES_ALONG for unit in said.get(key, "").split())),
            start_limit_burst=int(said.get("StartLimitBurst", "0")),
            start_limit_interval_seconds=span_seconds(said.get("StartLimitIntervalUSec", "0")),
            slice=said.get("Slice", ""),
            left_active_us=int(said.get("ActiveExitTimestampMonotonic", "0")),
            main_exit_us=int(said.get("ExecMainExitTimestampMonotonic", "0")),
        )
    except (KeyError, ValueError) as error:
        raise HostError(f"systemctl show did not tell {error} of a unit") from error


def span_seconds(text: str) -> float:
    """Return a time span as systemd prints it (`1min 30s`, `10s`, `infinity`, `0`) in seconds; ValueError for others."""
    if text in ("0", ""):
        return 0.0
    if text == "infinity":
        return float("inf")
    parts = text.split()
    found = [_SPAN.fullmatch(part) for part in parts]
    if not all(found):
        raise ValueError(f"time span {text!r}")
    return sum(float(part[1]) * _SPAN_SECONDS[part[2]] for part in found if part)


class UnitLook(OnceLook):
    """Part of `LinuxView`: implements `ports.host_units.UnitView`; all units asked for before come in one call."""

    _units: dict[str, Unit | None]

    def has_systemd(self) -> bool:
        """Tell whether systemd runs this host."""
        return Path(f"{self._host.root}/run/systemd/system").is_dir()

    def system_state(self) -> str:
        """Return systemd's word for the whole host, "" without systemd."""
        return self._once("system_state", lambda: self._host.units.system_state() if self.has_systemd() else "")

    def unit(self, name: str) -> Unit | None:
        """Return a unit's state, None if systemd does not know it or is not there."""
        if not self.has_systemd():
            return None
        full = unit_name(name)
        if full not in self._units:
            # A call that failed is remembered too: a hung bus costs one time-out a look, not one a unit.
            found = self._once("units" if not self._units else ("unit", full), lambda: self._host.units_with(full))
            self._units.update(found)
        return self._units[full]

    def unit_needs(self, names: Sequence[str]) -> Mapping[str, Sequence[tuple[str, str]]]:
        """Return what each of these units cannot run without; never remembered."""
        return self._host.units.needs([unit_name(name) for name in names]) if names and self.has_systemd() else {}

    def unit_file_pending(self, unit: str) -> bool:
        """Tell whether a unit's files changed since systemd read them; not remembered."""
        return self.has_systemd() and self._host.units.file_pending(unit)
