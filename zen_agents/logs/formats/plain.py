"""Lines of no format in particular, most of which begin with a time stamp and have a level in one of the next words."""

from __future__ import annotations

import re
from typing import ClassVar

from zen_agents.logs.formats.base import Format, Found
from zen_agents.logs.levels import level_of
from zen_agents.logs.record import LEVEL, MESSAGE
from zen_agents.logs.stamps import ISO, SHORT, Stamps

#: The stamp of Apache's error log; a fraction is left out.
_LONG = (
    r"[A-Z][a-z]{2} (?P<day>[A-Z][a-z]{2} [ 0-9][0-9]) (?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})? "
    r"(?P<year>[0-9]{4})"
)
_STAMP = re.compile(rf"\[?(?:(?P<iso>{ISO})|(?P<short>{SHORT})|{_LONG})\]?[ ,:]*")
#: The level is looked for in what follows the stamp, not in what the line is about.
_WITHIN = 48
_LEVEL = re.compile(
    r"\b(EMERG(?:ENCY)?|PANIC|ALERT|CRIT(?:ICAL)?|FATAL|SEVERE|ERR(?:OR)?|WARN(?:ING)?|NOTICE|INFO|DEBUG|TRACE)\b",
    re.IGNORECASE,
)


class Plain(Format):
    """Whatever is no other format; reads every line."""

    name: ClassVar[str] = "plain"
    summary: ClassVar[str] = (
        "Any text: a time stamp at its beginning and a level after it are understood, nothing is demanded."
    )

    def find(self, line: str, stamps: Stamps) -> Found:
        """Return time, level and message as far as they can be told."""
        stamp = _STAMP.match(line)
        if stamp is None:
            return None, {MESSAGE: line}
        fields = {MESSAGE: line[stamp.end() :]}
        if level := _LEVEL.search(line, stamp.end(), stamp.end() + _WITHIN):
            fields[LEVEL] = level_of(level[1])
        return _time(stamp, stamps), fields

    def time(self, line: str, stamps: Stamps) -> float | None:
        """Return the time alone."""
        stamp = _STAMP.match(line)
        return None if stamp is None else _time(stamp, stamps)


def _time(stamp: re.Match[str], stamps: Stamps) -> float | None:
    if stamp["iso"]:
        return stamps.iso(stamp["iso"])
    if stamp["short"]:
        return stamps.short(stamp["short"])
    return stamps.dated(stamp["year"], f"{stamp['day']} {stamp['time']}")
