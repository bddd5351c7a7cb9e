"""What an entry of a log tells about security, whichever program wrote it: the one way in."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from zen_agents.logs.formats.syslog import without_time
from zen_agents.logs.record import LEVEL, MESSAGE, PROGRAM, LogRecord
from zen_agents.logs.security import accounts, audit, pam, privileges, sshd, structured
from zen_agents.logs.security.event import SecurityEvent

#: What a syslog daemon makes of equal messages of one program; its own words come first, so no client writes them.
_REPEATED = re.compile(r"message repeated (?P<times>[0-9]{1,6}) times: \[ ?(?P<message>.*)\]")
#: Those that say in words of their own who could not log in.
SERVERS: Final = frozenset({
    "apache2", "asterisk", "Bitwarden-Identity", "courierpop3login", "dovecot", "dropbear", "drupal", "ejabberd",
    "exim", "exim4", "forgejo", "freeswitch", "ftpd", "gitea", "gitlab", "guacamole", "guacd", "HORDE", "horde",
    "httpd", "imap", "imapd", "imapd-ssl", "imaps", "ipop3d", "kc.sh", "keycloak", "klogind", "kshd", "lighttpd",
    "mariadbd", "mongod", "monit", "mysql", "mysqld", "nginx", "openvpn", "ovpn-server", "php-fpm", "phpMyAdmin",
    "pop3", "pop3d", "pop3d-ssl", "pop3s", "postgres", "postgresql", "proftpd", "proxmox-backup-proxy", "pure-ftpd",
    "pvedaemon", "roundcube", "sendmail", "sieve", "sm-acceptingconnections", "sm-mta", "smtpd", "sogod", "sqlservr",
    "timsieved", "tomcat", "vaultwarden", "vpopmail", "vsftpd", "webmin", "wordpress", "wu-ftpd", "xrdp", "xrdp-sesman",
    "znc",
})  # fmt: skip
#: Processes of dovecot, which name themselves in a log of its own; its master does it for them in that of a syslog daemon.
_OF_DOVECOT: Final = re.compile(r"(?:auth|auth-worker|(?:imap|pop3|submission|managesieve)-login)(?:\(.*)?")
#: WordPress names the site besides: `wordpress(www.example.com)`.
_OF_A_SITE: Final = "wordpress("
#: What a program wrote to the kernel's log; a client writes the beginning of no message.
_OF_THE_KERNEL: Final = re.compile(
    r"\[ *[0-9]{1,9}\.[0-9]{1,9}\]:? (?P<program>sshd|sshd-session|sshd-auth)\[[0-9]{1,10}\]: "
)
#: What a line has at most of which its format says no more than its time.
_PLAIN: Final = frozenset({MESSAGE, LEVEL})


def event_of(record: LogRecord) -> SecurityEvent | None:
    """Return what an entry tells, None if that is nothing of this kind. Time is linear in the entry's length.

    The program is the one that the head of the line names; what stands in the message names none. A line of a log that has
    no heads at all, and nothing but a time and a level before its message, is taken for what it reads like.
    """
    fields = record.fields
    # A request has these, and a line of syslog has none of them.
    if "client" in fields and "status" in fields:
        from zen_agents.logs.security import web  # noqa: PLC0415 - its patterns are compiled where there are requests

        return web.event_of(fields, fields.get(PROGRAM, "web"))
    if record.text.startswith(audit.BEGINNING):
        return audit.event_of(record.text)
    if not structured.TELLING.isdisjoint(fields) and (told := structured.event_of(fields)):
        return told
    if not (program := fields.get(PROGRAM, "")):
        return _of_headless(record) if fields.keys() <= _PLAIN else None
    return _of_program(program.rpartition("/")[2], record.message)


def _of_headless(record: LogRecord) -> SecurityEvent | None:
    from zen_agents.logs.security import bare  # noqa: PLC0415 - only for logs without heads

    if not bare.may_tell(record.text):
        return None
    message = record.message
    # Lines of a syslog daemon all the same, perhaps behind a stamp that no such daemon writes.
    if fields := without_time(record.text) or without_time(message):
        return _of_program(fields.get(PROGRAM, "").rpartition("/")[2], fields[MESSAGE])
    return bare.event_of(message)


def _of_program(program: str, message: str) -> SecurityEvent | None:
    if program == "kernel" and (written := _OF_THE_KERNEL.match(message)):
        program, message = written["program"], message[written.end() :]
    repeated = _REPEATED.fullmatch(message) if message.startswith("message repeated ") else None
    event = _of_message(repeated["message"] if repeated else message, program)
    if event is None or repeated is None:
        return event
    return dataclasses.replace(event, times=max(1, int(repeated["times"])) * event.times)


def _of_message(message: str, program: str) -> SecurityEvent | None:
    message = message.strip(" ") if program != "sshd" else message.removeprefix(" ")
    event = None
    if program == "audit":
        return audit.event_of(message)
    if program in sshd.PROGRAMS:
        event = sshd.event_of(message, program)
    elif program in privileges.PROGRAMS:
        event = privileges.event_of(message, program)
    elif program in accounts.PROGRAMS:
        event = accounts.event_of(message, program)
    elif program in SERVERS or program.startswith(_OF_A_SITE):
        from zen_agents.logs.security import servers  # noqa: PLC0415 - its patterns are compiled where such a server is

        event = servers.event_of(message, program.removesuffix(")").partition("(")[0])
    elif _OF_DOVECOT.fullmatch(program):
        from zen_agents.logs.security import servers  # noqa: PLC0415 - as above

        event = servers.event_of(f"{program}: {message}", "dovecot")
    return event or pam.event_of(message, program)
