"""The access logs of nginx and Apache: common and combined log format, with what an operator adds at the end."""

from __future__ import annotations

import re
from typing import ClassVar

from zen_agents.logs.formats.base import MOST_FIELDS, Format, Found
from zen_agents.logs.formats.logfmt import pairs
from zen_agents.logs.record import MESSAGE
from zen_agents.logs.stamps import COMMON, Stamps

_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
#: The user name is the client's to choose; that it ends where the stamp begins is what keeps it apart, and it has a bound.
_LINE = re.compile(
    rf"(?:(?P<site>[^ ]{{1,255}}:[0-9]{{1,5}}) )?(?P<client>[^ ]{{1,255}}) [^ ]{{1,255}} (?P<user>.{{1,255}}?) "
    rf"\[(?P<stamp>{COMMON})\] {_QUOTED} (?P<status>[0-9]{{3}}|-) (?P<bytes>[0-9]{{1,19}}|-)(?: {_QUOTED} {_QUOTED})?(?= |$)"
)
#: The fields by the groups of a line; its stamp and its request are none, and are taken out.
_STAMP = "stamp"
_FIELDS = ("site", "client", "user", _STAMP, MESSAGE, "status", "bytes", "referer", "agent")
_REQUEST_PLACE = _FIELDS.index(MESSAGE)
_PARTS = ("method", "path", "protocol")
_REQUEST = re.compile(r"(?P<method>[A-Za-z_-]{1,32}) (?P<path>[^ ]+)(?: (?P<protocol>[A-Z]{1,10}/[0-9.]{1,8}))?")
#: A number alone after the usual fields is the time that the request took, in seconds: nginx's `$request_time`.
_SECONDS = re.compile(r"[0-9]{1,9}\.[0-9]{3}")


class Access(Format):
    """A request a line."""

    name: ClassVar[str] = "access"
    summary: ClassVar[str] = (
        "Access logs of nginx and Apache (common, combined, with virtual host), and `name=value` after them."
    )

    def find(self, line: str, stamps: Stamps) -> Found | None:
        """Return client, user, method, path, protocol, status, bytes, referer and agent; the request is the message.

        A request that is no HTTP has no method and path; the client's address is taken from its place alone.
        """
        found = _LINE.match(line)
        if found is None:
            return None
        said = found.groups()
        fields = {name: value for name, value in zip(_FIELDS, said, strict=True) if value and value != "-"}
        stamp, request = fields.pop(_STAMP), said[_REQUEST_PLACE]
        if (parts := _REQUEST.fullmatch(request)) is not None:
            fields |= {name: value for name, value in zip(_PARTS, parts.groups(), strict=True) if value and value != "-"}
        if found.end() < len(line):
            _take_added(line[found.end() :], fields)
        fields[MESSAGE] = request
        return stamps.common(stamp), fields


def _take_added(text: str, fields: dict[str, str]) -> None:
    for name, value in pairs(text) if "=" in text else ():
        if len(fields) < MOST_FIELDS:
            fields.setdefault(name, value)
    for word in text.split(" ", 8)[:8]:
        if word and _SECONDS.fullmatch(word):
            fields.setdefault("request_time", word)
            return
