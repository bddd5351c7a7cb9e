"""Lines of syslog: RFC 3164 as daemons write it, with its own time stamps or those of RFC 3339; and RFC 5424."""

from __future__ import annotations

import re
from typing import ClassVar

from zen_agents.logs.formats.base import MOST_FIELDS, Format, Found
from zen_agents.logs.levels import of_priority
from zen_agents.logs.record import HOST, LEVEL, MESSAGE, PID, PROGRAM
from zen_agents.logs.stamps import SHORT, STRICT, Stamps

_PRIORITY = r"<(?P<priority>[0-9]{1,3})>"
#: Facility 23, severity 7.
_MOST_PRIORITY = 191
_LINE = re.compile(
    rf"(?:{_PRIORITY})?(?:(?P<iso>{STRICT})|(?P<short>{SHORT})) (?P<host>[^ ]{{1,255}}) "
    r"(?P<program>[^ :\[]{1,64})(?:\[(?P<pid>[^\] ]{1,32})\])?: ?",
)
_NEW_LINE = re.compile(
    rf"{_PRIORITY}[1-9][0-9]{{0,2}} (?P<stamp>[^ ]{{1,64}}) (?P<host>[^ ]{{1,255}}) (?P<program>[^ ]{{1,64}}) "
    r"(?P<pid>[^ ]{1,128}) (?P<kind>[^ ]{1,32}) "
)
_ELEMENT = re.compile(r'\[([^ =\]"]{1,32})((?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\.)*+")*+)\]')
_PARAMETER = re.compile(r' ([^ =\]"]+)="((?:[^"\\\]]|\\.)*+)"')
_ESCAPED = re.compile(r'\\(["\\\]])')
_NONE = "-"


class Syslog(Format):
    """The file of a syslog daemon; also what `journalctl` prints."""

    name: ClassVar[str] = "syslog"
    summary: ClassVar[str] = "Syslog as daemons write it to files (RFC 3164), with short or RFC 3339 time stamps."

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return host, program, pid and message; facility and level where the line has a priority.

        Only what stands before the first colon is taken from its place: whatever a message holds, it forges nothing.
        """
        found = _LINE.match(line)
        if found is None or not (fields := _head(found)):
            return None
        fields[MESSAGE] = line[found.end() :]
        return stamps.iso(found["iso"]) if found["iso"] else stamps.short(found["short"]), fields


class NewSyslog(Format):
    """Syslog with a version and structured data."""

    name: ClassVar[str] = "syslog5424"
    summary: ClassVar[str] = "Syslog of RFC 5424, with its structured data as fields `ID.PARAMETER`."

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return what the header and the structured data say, and the message."""
        found = _NEW_LINE.match(line)
        if found is None or not (fields := _head(found)):
            return None
        if found["kind"] != _NONE:
            fields["msgid"] = found["kind"]
        at = found.end()
        if line.startswith(_NONE, at):
            at += 1
        else:
            while (element := _ELEMENT.match(line, at)) is not None:
                _take_parameters(element, fields)
                at = element.end()
        fields[MESSAGE] = line[at:].removeprefix(" ").removeprefix("\ufeff")
        return stamps.read(found["stamp"]), fields


def _head(found: re.Match[str]) -> dict[str, str]:
    """Return the fields before the message; none if the priority cannot be one."""
    names = ((HOST, "host"), (PROGRAM, "program"), (PID, "pid"))
    fields = {field: found[group] for field, group in names if found[group] and found[group] != _NONE}
    if found["priority"]:
        if int(found["priority"]) > _MOST_PRIORITY:
            return {}
        fields["facility"], fields[LEVEL] = of_priority(int(found["priority"]))
    return fields


def _take_parameters(element: re.Match[str], fields: dict[str, str]) -> None:
    for parameter in _PARAMETER.finditer(element[2]):
        if len(fields) >= MOST_FIELDS:
            return
        fields[f"{element[1]}.{parameter[1]}"] = _ESCAPED.sub(r"\1", parameter[2])
