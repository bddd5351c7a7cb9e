"""What one entry of a log says, whatever it was written by and in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: Fields that every format fills in under these names where its lines say such a thing.
MESSAGE, LEVEL, HOST, PROGRAM, PID = "message", "level", "host", "program", "pid"


class LogRecord(NamedTuple):
    """One entry: a line, or several lines that belong together (a traceback). Everything in it is untrusted text (R17)."""

    #: Name of the source in the settings, or the path of a file that was named on the command line.
    source: str
    #: The line as it was cut, without the newline at its end; lines that belong together are joined by newlines.
    text: str
    #: When it was written as the entry itself says, in seconds since the epoch; None if it says nothing that can be true.
    at: float | None
    #: What its format found, by name; values are text.
    fields: Mapping[str, str]

    @property
    def message(self) -> str:
        """What the entry says besides who said it and when; the whole text where the format knows no more."""
        return self.fields.get(MESSAGE, self.text)
