"""Evidence of what was wrong, read from the host before it is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from zen_agents.dataclass import dataclass
from zen_agents.model.action import Plan


@dataclass(frozen=True, slots=True)
class Fragile:
    """What a repair destroys: a process's last words, what it has open, where it stands. Untrusted text, already bounded."""

    log: Sequence[str] = ()
    log_source: str = ""
    open_files: Sequence[str] = ()
    #: How many descriptors of which kind: `240 socket, 12 file`.
    descriptors: str = ""
    #: A line for each thread: its state and where it waits.
    stacks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else is going on: the largest and the busiest processes by name, the journal of a unit, what changed lately."""

    processes: Sequence[str] = ()
    log: Sequence[str] = ()
    log_source: str = ""
    #: What changed in the day before, the newest first, a line each: an ISO time, what it is, its name.
    related: Sequence[str] = ()
    #: The host in one line.
    host: str = ""


class EvidenceSource(Protocol):
    """Reads evidence from the host: names, never environments or arguments."""

    def fragile(self, plan: Plan) -> Fragile:
        """Return what the planned action would destroy; quick, never raises."""
        ...

    def surroundings(self, plan: Plan, watched: Sequence[str], at: datetime) -> Surroundings:
        """Return the rest, as it was at that time; may block. HostError if the host does not tell.

        Among `watched` paths it looks for files that changed.
        """
        ...
