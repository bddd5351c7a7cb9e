"""Lines of syslog: RFC 3164 as daemons write it, with its own time stamps or those of RFC 3339; and RFC 5424.

Daemons differ in what they write before the message: no host (BusyBox with `-S`), facility and level (BusyBox, FreeBSD,
socklog), no colon behind the process id, the program in brackets (metalog), no time at all (what is left of a line where
something else keeps the time). A host is never a word for a level: then it is a line of a program's own log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from zen_agents.logs.formats.base import MOST_FIELDS, Format, Found
from zen_agents.logs.levels import level_of, of_priority
from zen_agents.logs.record import HOST, LEVEL, MESSAGE, PID, PROGRAM
from zen_agents.logs.stamps import ISO, SHORT, STRICT, Stamps

_PRIORITY = r"<(?P<priority>[0-9]{1,3})>"
#: Facility 23, severity 7.
_MOST_PRIORITY = 191
_STAMPED = rf"(?:{_PRIORITY})?(?:(?P<iso>{STRICT})|(?P<short>{SHORT})) "
_HOST = r"(?P<host>[^ ]{1,255})(?<!:) "
_TAG = r"(?P<program>[^ :\[]{1,64})"
_LINE = re.compile(rf"{_STAMPED}{_HOST}{_TAG}(?:\[(?P<pid>[^\] ]{{1,32}})\])?: ?")
_KIND = r"(?P<facility>[a-z0-9]{2,9})\.(?P<severity>emerg|alert|crit|err|warning|warn|notice|info|debug)"
_RARER_LINE = re.compile(
    # Only the short stamp is a daemon's for certain: behind it the host may be left out.
    rf"{_STAMPED}(?:<[a-z0-9]{{1,9}}\.[a-z0-9]{{1,9}}> )?(?:{_HOST}|(?(short)|(?!)))(?:{_KIND} )?"
    rf"(?:{_TAG}(?:\[(?P<pid>[^\] ]{{1,32}})\](?::|(?= ))|:) ?|"
    # A number in brackets is a process id; who that is of, the line does not say in its place.
    r"(?(short)\[(?P<bracketed>(?![0-9]+\])[^\] :\[]{1,64})\]:? |(?!)))"
)
#: With a stamp that names no zone, or the name of one (`journalctl -o short-full`), as programs write it as well: then the
#: process id is what tells a daemon's line.
_LOOSE_LINE = re.compile(
    rf"(?:{_PRIORITY})?(?:[A-Z][a-z]{{2}} )?(?P<iso>{ISO})(?: [A-Z]{{2,5}})? {{1,2}}{_HOST}{_TAG}\[(?P<pid>[0-9]{{1,10}})\]"
    r"(?::|(?= )) ?"
)
#: svlogd's stamps, or none, before what socklog writes; the stamp of the sender may stand behind facility and level.
_SOCKLOG_LINE = re.compile(
    r"(?:(?:(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}[T_][0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{1,9})|@(?P<tai>[0-9a-f]{24})) )?"
    rf"(?:{_KIND}: |(?(tai)|(?!)))(?:(?P<short>{SHORT}) )?{_TAG}(?:\[(?P<pid>[^\] ]{{1,32}})\])?: {{0,2}}"
)
#: sysklogd, which leaves the priority and the version out of what is else a line of RFC 5424 without structured data.
_SYSKLOGD_LINE = re.compile(
    rf"(?P<iso>{STRICT}) {_HOST}(?P<program>[^ :\[]{{1,64}}) (?P<pid>[0-9]{{1,10}}|-) [^ ]{{1,32}} - "
)
#: Without a time, the process id is what tells a daemon's line; a stamp is of something else then.
_UNSTAMPED_LINE = re.compile(
    rf"(?:{_PRIORITY})?(?:(?P<host>[A-Za-z0-9_.-]{{1,255}}) )?(?P<program>[A-Za-z_][^ :\[\]()]{{0,63}})"
    r"\[(?P<pid>[0-9]{1,10})\]: "
)
#: Seconds since 1970 in TAI64, and by how much its label is ahead of it, as daemontools count.
_TAI_OF_1970 = (1 << 62) + 10
#: Before a thread's number these look like a program and its process.
_LEVELS = frozenset({
    "TRACE", "DEBUG", "VERBOSE", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "SECURITY",
})  # fmt: skip
_NEW_LINE = re.compile(
    rf"{_PRIORITY}[1-9][0-9]{{0,2}} (?P<stamp>[^ ]{{1,64}}) (?P<host>[^ ]{{1,255}}) (?P<program>[^ ]{{1,64}}) "
    r"(?P<pid>[^ ]{1,128}) (?P<kind>[^ ]{1,32}) "
)
#: A bracket within quotation marks ought to be escaped; not every sender does.
_ELEMENT = re.compile(r'\[([^ =\]"]{1,32})((?: [^ =\]"]{1,32}="(?:[^"\\]|\\.)*+")*+)\]')
_PARAMETER = re.compile(r' ([^ =\]"]+)="((?:[^"\\]|\\.)*+)"')
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
        read = _read(line)
        if read is None:
            return None
        named, fields = read
        return _time(named, stamps), fields


class NewSyslog(Format):
    """Syslog with a version and structured data."""

    name: ClassVar[str] = "syslog5424"
    summary: ClassVar[str] = "Syslog of RFC 5424, with its structured data as fields `ID.PARAMETER`."

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return what the header and the structured data say, and the message."""
        found = _NEW_LINE.match(line)
        if found is None or not (fields := _head(found.groupdict())):
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


def without_time(line: str) -> Mapping[str, str]:
    """Return the fields of a line of a syslog daemon; none if it is no such line."""
    read = _read(line)
    return read[1] if read is not None else {}


def _read(line: str) -> tuple[Mapping[str, str | None], dict[str, str]] | None:
    found = _LINE.match(line) or _RARER_LINE.match(line) or _LOOSE_LINE.match(line) or _rarest(line)
    if found is None:
        return None
    named = found.groupdict()
    fields = {} if _LEVELS & {named.get("host"), named["program"]} else _head(named)
    if not fields:
        return None
    fields[MESSAGE] = line[found.end() :]
    return named, fields


def _rarest(line: str) -> re.Match[str] | None:
    return _SOCKLOG_LINE.match(line) or _SYSKLOGD_LINE.match(line) or _UNSTAMPED_LINE.match(line)


def _time(named: Mapping[str, str | None], stamps: Stamps) -> float | None:
    if iso := named.get("iso"):
        return stamps.iso(iso.replace("_", "T"))
    if tai := named.get("tai"):
        return stamps.number(f"{int(tai[:16], 16) - _TAI_OF_1970}.{int(tai[16:], 16):09}")
    short = named.get("short")
    return stamps.short(short) if short else None


def _head(named: Mapping[str, str | None]) -> dict[str, str]:
    """Return the fields before the message; none if the priority cannot be one."""
    fields = {field: value for field in (HOST, PROGRAM, PID) if (value := named.get(field)) and value != _NONE}
    if bracketed := named.get("bracketed"):
        fields[PROGRAM] = bracketed
    if severity := named.get("severity"):
        fields["facility"], fields[LEVEL] = named["facility"] or "", level_of(severity)
    if priority := named.get("priority"):
        if int(priority) > _MOST_PRIORITY:
            return {}
        fields["facility"], fields[LEVEL] = of_priority(int(priority))
    return fields


def _take_parameters(element: re.Match[str], fields: dict[str, str]) -> None:
    for parameter in _PARAMETER.finditer(element[2]):
        if len(fields) >= MOST_FIELDS:
            return
        fields[f"{element[1]}.{parameter[1]}"] = _ESCAPED.sub(r"\1", parameter[2])
