"""Which hour it is for the people of a place: seasons follow their clocks, also when summer time begins or ends."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

HOUR: Final = 3600
#: Clocks are put forward and back at whole quarters of an hour.
_QUARTER: Final = 900


class Hours:
    """Counts the hours of a zone; None is that of this host."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self._quarter, self._ahead = -1, 0.0

    def of(self, at: float) -> int:
        """Return how many hours of local clocks there were since the epoch (seconds since the epoch)."""
        quarter = int(at // _QUARTER)
        if quarter != self._quarter:
            ahead = datetime.fromtimestamp(at, UTC).astimezone(self._zone).utcoffset()
            self._quarter, self._ahead = quarter, ahead.total_seconds() if ahead is not None else 0.0
        return int((at + self._ahead) // HOUR)
