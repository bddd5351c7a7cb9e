"""What a detector found out about one key."""

from __future__ import annotations

from enum import StrEnum

from zen_agents.dataclass import dataclass
from zen_agents.logs.keys import Key


class Change(StrEnum):
    """What became of a key."""

    RAISED = "raised"
    CLEARED = "cleared"
    #: It was raised and is no longer watched: too many other keys came. Whether it is still bad nobody knows.
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Detection:
    """One key changed its state."""

    change: Change
    key: Key
    #: When, and since when what made it so had been going on (seconds, on the timeline that the detector was fed).
    at: float
    since: float
    #: How many lines that are (0 for an absence).
    lines: int
