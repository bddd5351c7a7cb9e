"""Log-ins that failed, as servers other than OpenSSH's say it in words of their own: of mail, files, the web, ssh in small.

None of them writes an address anywhere but before what a client chose, or behind it in a place that is the only one of its
kind: of a line that has several, nobody knows whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.logs.security import app_servers, mail_servers, web_servers
from zen_agents.logs.security.event import Result, SecurityEvent, What
from zen_agents.logs.security.places import LONGEST, NOWHERE, PEER, the_place
from zen_agents.logs.security.server_form import USER, ServerForm, form

#: Without brackets an IPv6 address has its port behind one more colon.
_WITH_PORT = r"(?P<peer>[^ <>]{1,255}):[0-9]{1,5}"
#: proftpd: its own name, then the client's as the DNS has it, and its address.
_BY = r"[^ ]+ \([^ \[\]()]*\[(?P<peer>[^ \[\]]{1,255})\]\)(?::| -) "

_DROPBEAR: Final = (
    form(rf"[Bb]ad (?:PAM )?password attempt for '{USER}' from {_WITH_PORT}"),
    form(rf"[Ll]ogin attempt for nonexistent user(?: '{USER}')? from {_WITH_PORT}", Result.REFUSED),
    form(rf"Exit before auth \(.*\): Max auth tries reached - user '{USER}' from {_WITH_PORT}", Result.REFUSED),
    form(
        rf"Exit before auth from <{_WITH_PORT}>: (?:\(user '.*', [0-9]+ fails\): )?Max auth tries reached - user '{USER}'",
        Result.REFUSED,
    ),
    form(rf"Exit before auth from <{_WITH_PORT}>: .*", Result.ENDED, what=What.CONNECTION),
)
_PROFTPD: Final = (
    form(rf"{_BY}USER {USER} \(Login failed\): .*"),
    form(rf"{_BY}USER {USER}: no such user found from .*", Result.REFUSED),
    form(rf"{_BY}Maximum login attempts \([0-9]+\) exceeded.*", Result.REFUSED),
    form(rf"{_BY}SECURITY VIOLATION: (?P<user>[Rr]oot) login attempted\.?", Result.REFUSED),
)
_VSFTPD: Final = (
    form(rf'(?:\[pid [0-9]+\] )?\[{USER}\] FAIL LOGIN: Client "(?P<peer>[^ "]+)"(?:, "[A-Z][^"]*")?', once="FAIL LOGIN: "),
)
_FTPD: Final = (
    form(rf"FTP LOGIN FAILED FROM (?P<peer>[^ ,]+)(?:, {USER})?"),
    form(r"repeated login failures from (?P<peer>[^ ]+) \([^ ()]*\)"),
)
_PROXMOX: Final = (
    form(rf"authentication failure; rhost=(?:\[(?P<peer>[^ \[\]]+)\]:[0-9]{{1,5}}|(?P<peer2>[^ \[\]]+)) user={USER} msg=.*"),
)
_RLOGIN: Final = (form(r"Authentication failed from [^ ]+ \((?P<peer>[^ ()]+)\): .*"),)
FORMS: Final[Mapping[str, Sequence[ServerForm]]] = {
    "dropbear": _DROPBEAR,
    "proftpd": _PROFTPD,
    "pure-ftpd": (form(rf"\([^ ()]*@{PEER}\) \[WARNING\] Authentication failed for user \[{USER}\]"),),
    "vsftpd": _VSFTPD,
    "ftpd": _FTPD,
    "wu-ftpd": (form(r"failed login from [^ ]+ \[(?P<peer>[^ \[\]]+)\]"),),
    "klogind": _RLOGIN, "kshd": _RLOGIN,
    "pvedaemon": _PROXMOX, "proxmox-backup-proxy": _PROXMOX,
    **app_servers.FORMS,
    **mail_servers.FORMS,
    **web_servers.FORMS,
}  # fmt: skip
#: What a daemon puts before its message where another writes its standard error, or its own log, to this one.
_TWICE = re.compile(
    r"\[[0-9]+\] [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} |"
    r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}  ?[0-9]{1,2}:[0-9]{2}:[0-9]{2} "
)
#: Gitea and Forgejo write colours also where no terminal is (ECMA-48, "select graphic rendition").
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")


def event_of(message: str, program: str) -> SecurityEvent | None:
    """Return what a message of one of these servers tells, None if that is no log-in that failed. Linear in its length."""
    if len(message) > LONGEST:
        return None
    return _first_of(FORMS.get(program, ()), _said(message), program)


def event_of_any(message: str) -> SecurityEvent | None:
    """Return what a message tells of which nobody says who wrote it, None if it reads like none of them."""
    if len(message) > LONGEST:
        return None
    said = _said(message)
    told = (_first_of(forms, said, program) for program, forms in FORMS.items())
    return next(filter(None, told), None)


def _said(message: str) -> str:
    """Return a message without its colours, and without what a daemon put before it."""
    plain = _COLOUR.sub("", message) if "\x1b[" in message else message
    twice = _TWICE.match(plain)
    return plain[twice.end() :] if twice else plain


def _first_of(forms: Sequence[ServerForm], said: str, program: str) -> SecurityEvent | None:
    for each in forms:
        if (found := each.text.fullmatch(said)) is not None:
            return _event(each, found, program)
    return None


def _event(read_as: ServerForm, found: re.Match[str], program: str) -> SecurityEvent:
    is_sure = read_as.once is None or len(read_as.once.findall(found[0])) == 1
    place = the_place(found) if is_sure else NOWHERE
    named = found.groupdict()
    return SecurityEvent(
        read_as.what, read_as.result, program, user=place.user, address=place.address, peer=place.peer, method="password",
        times=max(1, int(named.get("times") or 1)),
    )  # fmt: skip
