"""What an entry of a log tells about security, whichever program wrote it: the one way in."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from zen_agents.logs.record import PROGRAM, LogRecord
from zen_agents.logs.security import accounts, pam, privileges, sshd
from zen_agents.logs.security.event import SecurityEvent

#: What a syslog daemon makes of equal messages of one program; its own words come first, so no client writes them.
_REPEATED = re.compile(r"message repeated (?P<times>[0-9]{1,6}) times: \[ ?(?P<message>.*)\]")
#: Those that say in words of their own who could not log in.
_SERVERS: Final = frozenset({
    "dropbear", "dovecot", "proftpd", "pure-ftpd", "vsftpd", "smtpd", "imapd", "imapd-ssl", "pop3d", "pop3d-ssl", "klogind",
    "kshd", "pvedaemon",
})  # fmt: skip
#: A request has these, and a line of syslog has none of them.
_REQUEST: Final = ("client", "status")


def event_of(record: LogRecord) -> SecurityEvent | None:
    """Return what an entry tells, None if that is nothing of this kind. Time is linear in the entry's length.

    The program is the one that the head of the line names; what stands in the message names none.
    """
    fields = record.fields
    if all(name in fields for name in _REQUEST):
        from zen_agents.logs.security import web  # noqa: PLC0415 - its patterns are compiled where there are requests

        return web.event_of(fields, fields.get(PROGRAM, "web"))
    program = fields.get(PROGRAM, "").rpartition("/")[2]
    if not program:
        return None
    message = record.message
    repeated = _REPEATED.fullmatch(message) if message.startswith("message repeated ") else None
    event = _of_message(repeated["message"] if repeated else message, program)
    if event is None or repeated is None:
        return event
    return dataclasses.replace(event, times=max(1, int(repeated["times"])) * event.times)


def _of_message(message: str, program: str) -> SecurityEvent | None:
    message = message.strip(" ") if program != "sshd" else message.removeprefix(" ")
    event = None
    if program in sshd.PROGRAMS:
        event = sshd.event_of(message, program)
    elif program in privileges.PROGRAMS:
        event = privileges.event_of(message, program)
    elif program in accounts.PROGRAMS:
        event = accounts.event_of(message, program)
    elif program in _SERVERS:
        from zen_agents.logs.security import servers  # noqa: PLC0415 - its patterns are compiled where such a server is

        event = servers.event_of(message, program)
    return event or pam.event_of(message, program)
