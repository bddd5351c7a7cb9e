"""A format whose lines are understood further: with what they tell of security as fields like any other."""

from __future__ import annotations

from typing import ClassVar

from zen_agents.logs.formats.base import Format, Found
from zen_agents.logs.record import LogRecord
from zen_agents.logs.security.recognition import event_of
from zen_agents.logs.stamps import Stamps


class Understood(Format):
    """Reads lines as another format does, and adds the fields of `SecurityEvent` to those that tell of something."""

    name: ClassVar[str] = "security"
    summary: ClassVar[str] = "Lines of another format, with what they tell of security."

    def __init__(self, form: Format) -> None:
        self._form = form

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return what the format itself does, and what the line tells besides.

        Where a program and the format use the same word for something (`user`), what the line tells of security counts.
        """
        found = self._form.find(line, stamps)
        if found is None:
            return None
        at, fields = found
        event = event_of(LogRecord("", line, at, fields))
        return found if event is None else (at, {**fields, **event.fields()})
