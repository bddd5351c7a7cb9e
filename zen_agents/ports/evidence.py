"""Evidence of what was wrong, read from the host before it is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from zen_agents.dataclass import dataclass
from zen_agents.model.action import Plan

#: Changes that are named, the newest.
MOST_CHANGES = 5


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
    """What else is going on, and may soon be otherwise: files that changed, how the host does."""

    #: What changed in the day before, a line each: an ISO time in UTC, what it is, its name.
    related: Sequence[str] = ()
    #: The host in one line.
    host: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """What stays as it was written, whatever is repaired meanwhile: the journal of a unit, packages that changed."""

    log: Sequence[str] = ()
    log_source: str = ""
    #: As in `Surroundings`.
    related: Sequence[str] = ()


class EvidenceSource(Protocol):
    """Reads evidence from the host: names, never environments or arguments."""

    def fragile(self, plan: Plan) -> Fragile:
        """Return what the planned action would destroy; quick, never raises."""
        ...

    def surroundings(self, plan: Plan, watched: Sequence[str], at: datetime) -> Surroundings:
        """Return what else is going on, as it was at that time; may block. HostError if the host does not tell.

        Among `watched` paths it looks for files that changed.
        """
        ...

    def processes(self) -> Sequence[str]:
        """Return the largest and the busiest processes, one a line; as `surroundings`."""
        ...

    def records(self, plan: Plan, at: datetime) -> Records:
        """Return what was written until that time; as `surroundings`."""
        ...
