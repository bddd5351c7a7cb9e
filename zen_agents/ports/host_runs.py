"""The runs of a job that somebody else begins: cron, a timer, a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError
from zen_agents.model.pattern import compiled
from zen_agents.ports.host_processes import ENDED

if TYPE_CHECKING:
    from zen_agents.ports.host import HostView
    from zen_agents.ports.host_processes import Process

#: Where an interpreter names its script: `sh -eu /usr/local/bin/nightly`.
_SCRIPT_WITHIN = 4
#: Of a command line so much is compared (characters).
_COMPARED = 4096


@dataclass(frozen=True, slots=True)
class Runs:
    """How the runs of one job are told from all else (R20): by program and account, and by their arguments if need be."""

    #: The program's path, or that of the script that an interpreter runs.
    executable: str
    user: str
    #: Regular expression that the command line, its words joined by one space, must contain; "" for any.
    match: str = ""

    def of(self, host: HostView) -> Sequence[Process]:
        """Return the first process of each run that is under way, the oldest first; HostError if nobody can tell."""
        table, account = host.processes(), host.user_id(self.user)
        likely = self._likely(table.values(), host)
        found = {process.pid: process for process in likely if _owner(process, host) == account}
        # What a run has begun itself, by the same name, is part of it.
        first = (process for process in found.values() if process.parent not in found)
        return sorted(first, key=lambda process: (process.start_time, process.pid))

    def _likely(self, processes: Iterable[Process], host: HostView) -> Iterable[Process]:
        wanted = compiled(self.match) if self.match else None
        for process in processes:
            if process.state in ENDED:
                continue
            # Remembered for as long as it is the same process, which the program's path is not.
            words = host.command_line(process)
            if not words or (wanted is not None and not wanted.search(" ".join(words)[:_COMPARED])):
                continue
            if self.executable in words[:_SCRIPT_WITHIN] or self._is_program(words[0], process, host):
                yield process

    def _is_program(self, called: str, process: Process, host: HostView) -> bool:
        name = self.executable.rpartition("/")[2]
        if called.rpartition("/")[2] != name and not name.startswith(process.name):
            return False
        return host.executable(process) == self.executable


def _owner(process: Process, host: HostView) -> int | None:
    """Return whose process it is, None if it has ended meanwhile."""
    try:
        return host.owner(process)
    except HostError:
        return None
