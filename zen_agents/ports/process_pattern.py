"""Which processes a configuration means. A name alone is anybody's to take, so it never suffices (R20)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from zen_agents.errors import ProcessGoneError
from zen_agents.model.pattern import compiled
from zen_agents.ports.host import HostView
from zen_agents.ports.host_process_use import Busy
from zen_agents.ports.host_processes import Process

#: What start times of processes are counted in.
_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessPattern(NamedTuple):
    """A name, and the unit it belongs to or the program and account it has."""

    #: Regular expression that the name must match somewhere, as the kernel cuts it (15 characters).
    match: str
    unit: str = ""
    executable: str = ""
    user: str = ""

    def fits(self, process: Process, host: HostView) -> bool:
        """Tell whether a process is meant, which none is that has ended meanwhile; HostError if that cannot be told."""
        try:
            return self._fits(process, host)
        except ProcessGoneError:
            return False

    def _fits(self, process: Process, host: HostView) -> bool:
        if compiled(self.match).search(process.name) is None:
            return False
        if self.unit and self.unit not in host.cgroup(process).split("/"):
            return False
        if self.user and host.owner(process) != host.user_id(self.user):
            return False
        return not self.executable or self._runs(process, host)

    def _runs(self, process: Process, host: HostView) -> bool:
        return host.executable(process) == self.executable or self.executable in host.command_line(process)[:2]


def perhaps_runaways(pattern: ProcessPattern, percent: float, seconds: float, host: HostView) -> Sequence[Busy]:
    """Return those of them that are too busy, and may have been for so long before anybody looked."""
    return [
        busy
        for busy in host.busy_processes(percent)
        if busy.at_every_look
        and busy.seconds < seconds <= host.boot_seconds() - busy.process.start_time / _TICKS
        and pattern.fits(busy.process, host)
    ]


def runaways(pattern: ProcessPattern, percent: float, seconds: float, host: HostView) -> Sequence[Busy]:
    """Return which of the processes that are meant use more of a CPU than that, and have for so long; longest first."""
    return [busy for busy in host.busy_processes(percent) if busy.seconds >= seconds and pattern.fits(busy.process, host)]


def with_niceness(found: Iterable[Busy], host: HostView) -> Iterator[tuple[Busy, int]]:
    """Yield each and how nice it is, without those that have ended meanwhile."""
    for busy in found:
        with contextlib.suppress(ProcessGoneError):
            yield busy, host.niceness(busy.process)
