"""Evidence of what was wrong, read from the host before it is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from zen_agents.model.action import Plan


@dataclass(frozen=True, slots=True)
class Fragile:
    """What a repair destroys: the last words of a process, and what it has open. Untrusted text, already bounded."""

    log: Sequence[str] = ()
    log_source: str = ""
    open_files: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else is going on: the largest and the busiest processes by name, and the journal of a unit."""

    processes: Sequence[str] = ()
    log: Sequence[str] = ()
    log_source: str = ""


class EvidenceSource(Protocol):
    """Reads evidence from the host: names, never environments or arguments."""

    def fragile(self, plan: Plan) -> Fragile:
        """Return what the planned action would destroy; quick, never raises."""
        ...

    def surroundings(self, plan: Plan) -> Surroundings:
        """Return the rest; may block. HostError if the host does not tell."""
        ...
