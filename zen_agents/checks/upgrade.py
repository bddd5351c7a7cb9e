"""Whether something still runs with what an upgrade has replaced: the old code, and its holes, live on until a restart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process

_NAME = "upgrades.outdated"
#: So many units are named, each with one file; the rest is counted.
_SHOWN = 8


class UpgradeCheck(Check):
    """Observes `upgrades.outdated` (judged; the value is how many units or processes run with replaced files)."""

    __slots__ = ()

    kind = "upgrade"
    summary = "Does anything still run with programs or libraries that were replaced?"

    def __init__(self, *, every_seconds: float) -> None:
        super().__init__(name="upgrades", target="host", every_seconds=every_seconds, timeout_seconds=20.0)

    @property
    def observes(self) -> tuple[str, ...]:
        return (_NAME,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look at what each process has mapped; those that may not be looked into are counted as not known."""
        outdated, hidden, seen = defaultdict[str, set[str]](set), 0, 0
        for process in host.processes().values():
            try:
                files = host.replaced_files(process)
            except HostError:
                hidden += 1
                continue
            seen += 1
            if files:
                outdated[_owner(process, host)].update(file.rpartition("/")[2] for file in files)
        if not seen:
            raise HostError(f"none of {hidden} processes may be looked into; that needs root")
        status, said = Status.OK, "nothing runs with replaced files"
        if outdated:
            status, said = Status.PROBLEM, _said(outdated)
        unseen = f"; {hidden} processes of others may not be looked into" if hidden else ""
        return (Observation(_NAME, self.target, status, now, float(len(outdated)), said + unseen),)


def _owner(process: Process, host: HostView) -> str:
    """Return the unit of a process, or its name and number where it belongs to none or is gone by now."""
    try:
        unit = host.cgroup(process).rpartition("/")[2]
    except HostError:
        unit = ""
    return unit if unit.endswith((".service", ".scope")) else f"{process.name} ({process.pid})"


def _said(outdated: dict[str, set[str]]) -> str:
    names = sorted(outdated)
    shown = [f"{name} ({_files(outdated[name])})" for name in names[:_SHOWN]]
    more = len(names) - _SHOWN
    return f"to be restarted: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def _files(names: set[str]) -> str:
    first = min(names)
    return f"{first} and {len(names) - 1} more" if len(names) > 1 else first
