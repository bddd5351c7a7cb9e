"""A host made of written facts, for `plan --facts`: no host is looked at, no network asked, no privilege needed.

    now: 2026-11-21T03:14:00+01:00
    observations: {cpu.percent: 97, service.web: down, disk.percent@disk:/srv: 93}

A name may carry its target behind `@`; without one every check that makes such an observation gets it. `up`, `ok`, `down`,
`problem` and `unknown` are states, numbers are values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, UsageError
from zen_agents.model.observation import Status
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_resources import Mount
from zen_agents.ports.host_units import Unit
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.reader import read
from zen_agents.settings.rendering import render

_WORDS = {
    "up": Status.OK, "ok": Status.OK, "good": Status.OK, "down": Status.PROBLEM, "problem": Status.PROBLEM,
    "bad": Status.PROBLEM, "unknown": Status.UNKNOWN,
}  # fmt: skip
#: Moments outside of these leave no room for the windows around them.
_YEARS = range(1971, 9999)
#: `service.NAME` in a fact stands for whatever the checks of that service are called.
_ALIASES = {"service.": ("process.", "probe.", "unit.", "wakes.")}


@dataclass(frozen=True, slots=True)
class Fact:
    """One written observation: a status, a number or both."""

    status: Status
    value: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file says."""

    now: datetime
    #: `NAME` or `NAME@TARGET` -> fact.
    observations: Mapping[str, Fact]

    def about(self, name: str, target: str) -> Fact | None:
        """Return the fact about an observation, None if the file says nothing of it."""
        return next((self.observations[key] for key in keys_of(name, target) if key in self.observations), None)

    def unused(self, observed: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """Return the facts that say nothing of what is observed: misspelt, or about another configuration."""
        used = {key for name, target in observed for key in keys_of(name, target)}
        return tuple(key for key in self.observations if key not in used)


def keys_of(name: str, target: str) -> Iterator[str]:
    """Yield what a fact about an observation may be called, the closest first."""
    yield f"{name}@{target}"
    yield name
    for alias, kinds in _ALIASES.items():
        yield from (alias + name.removeprefix(kind) for kind in kinds if name.startswith(kind))


def read_facts(path: Path) -> Facts:
    """Read a facts file; UsageError names what is wrong with it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    report = Report()
    tree = read(content, str(path), report).plain()
    if report.failed:
        raise UsageError(render(report.sorted(), "concise"))
    if not isinstance(tree, dict) or not isinstance(tree.get("observations"), dict) or set(tree) - {"now", "observations"}:
        raise UsageError(f"{path}: write now: TIME and observations: {{NAME: VALUE}}")
    return Facts(_moment(path, tree.get("now")), {str(k): _fact(path, k, v) for k, v in tree["observations"].items()})


def _moment(path: Path, text: Any) -> datetime:
    if text is None:
        raise UsageError(f"{path}: `now` is missing; write it like now: 2026-11-21T03:14:00+01:00")
    try:
        moment = datetime.fromisoformat(str(text))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        in_range = moment.astimezone(UTC).year in _YEARS
    except OverflowError:
        in_range = False
    except ValueError:
        raise UsageError(f"{path}: now: {text!r} is no ISO time") from None
    if not in_range:
        raise UsageError(f"{path}: now: {text!r} is not between {_YEARS[0]} and {_YEARS[-1]}")
    return moment


def fact_of(value: object) -> Fact | None:
    """Return what a number or a state means, None if it is neither."""
    if isinstance(value, str) and value.lower() in _WORDS:
        return Fact(_WORDS[value.lower()], None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Fact(Status.OK, float(value))
    return None


def _fact(path: Path, name: object, value: object) -> Fact:
    if (fact := fact_of(value)) is not None:
        return fact
    raise UsageError(f"{path}: {name}: {value!r} is neither a number nor one of {', '.join(sorted(_WORDS))}")


class FactsHost:
    """A calm host with these facts: long booted, nobody works on it, services as the facts say; all else is HostError."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def look(self) -> Any:
        """Return the view, which is this host itself: facts do not change."""
        return self

    def mounts(self) -> tuple[Mount, ...]:
        """A root file system, and one for each disk that the facts speak of."""
        named = {key.partition("@")[2] for key in self._facts.observations if "@disk:" in key}
        return tuple(Mount(name.removeprefix("disk:"), "facts", "ext4", False, 0) for name in {*named, "disk:/"})

    def boot_seconds(self) -> float:
        """Long ago."""
        return 1e6

    def package_transaction(self) -> str:
        """Nobody installs anything."""
        return ""

    def configuration_run(self) -> str:
        """Nobody configures anything."""
        return ""

    def cloud_init_pending(self) -> bool:
        """It is done."""
        return False

    def leaving(self, marks: Sequence[str]) -> str:
        """It stays."""
        del marks
        return ""

    def system_state(self) -> str:
        """Return systemd's usual word."""
        return "running"

    def has_systemd(self) -> bool:
        """Units are taken to exist."""
        return True

    def machine_id(self) -> str:
        """No machine."""
        return "facts"

    def unit(self, name: str) -> Unit:
        """Return a unit that runs or failed, as the fact `unit.NAME` or `service.NAME` says."""
        short = name.partition(".")[0]
        fact = self._facts.about(f"unit.{short}", f"service:{short}")
        bad = fact is not None and fact.status is Status.PROBLEM
        active, sub = ("failed", "failed") if bad else ("active", "running")
        return Unit(
            id=name, load_state="loaded", active_state=active, sub_state=sub,
            result="exit-code" if bad else "success", unit_file_state="enabled", main_pid=0, restarts=0, invocation="",
            changed_us=0, busy=False, takes_along=(), start_limit_burst=5, start_limit_interval_seconds=10.0,
        )  # fmt: skip

    def process(self, pid: int) -> Process | None:
        """No process is known."""
        del pid
        return None

    def service_process(self, name: str) -> Process | None:
        """No process is known."""
        del name
        return None

    def pidfile_process(self, path: str, **_: object) -> Process | None:
        """No process is known."""
        del path
        return None

    def __getattr__(self, name: str) -> Any:
        def untold(*_: object, **__: object) -> Any:
            raise HostError(f"{name}: a plan from facts looks at no host")

        return untold
