"""What a format is: it reads one line and says what it finds there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from zen_agents.logs.record import LogRecord
from zen_agents.logs.stamps import Stamps

#: An entry has at most so many fields; whoever writes the log chooses them.
MOST_FIELDS = 64

Found = tuple[float | None, Mapping[str, str]]


class Format(ABC):
    """A way to write lines. Keeps no state, takes time in proportion to the line, and raises nothing, whatever it is."""

    #: The word in the settings.
    name: ClassVar[str]
    #: One sentence: what writes so.
    summary: ClassVar[str]

    @abstractmethod
    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return when a line was written (None: not said, or untrue) and its fields; None if it has another format."""

    def time(self, line: str, stamps: Stamps) -> float | None:
        """Return the same time as `find`, where nothing else of the line is asked for."""
        found = self.find(line, stamps)
        return None if found is None else found[0]

    def record(self, line: str, source: str, stamps: Stamps) -> LogRecord:
        """Return what a line says; one that is not written so has no fields and no time."""
        at, fields = self.find(line, stamps) or (None, {})
        return LogRecord(source, line, at, fields)
