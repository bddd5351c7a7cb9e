"""What journald keeps and writes: how fast it is written to and by whom, and the limit of one unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class JournalView(Protocol):
    """Read-only questions about the journal."""

    def journal_entries(self) -> int:
        """Return the number of the newest entry of the system's journal; they are counted through. HostError without one."""
        ...

    def journal_share(self, most: int) -> Mapping[str, int]:
        """Return how many of the newest `most` entries each unit has written; what no unit has written counts as ""."""
        ...

    def log_limit(self, unit: str) -> int | None:
        """Return to how many lines a second the engine limited a unit, None if it did not."""
        ...


class JournalControl(Protocol):
    """Changes to what journald takes."""

    async def limit_log_rate(self, unit: str, lines_per_second: int) -> None:
        """Let journald drop what a unit says beyond this, at once and until the host boots; StalePlanError if it is so."""
        ...

    async def lift_log_rate(self, unit: str) -> None:
        """Take that limit away; StalePlanError if there is none."""
        ...
