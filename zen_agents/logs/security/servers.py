"""Log-ins that failed, as servers other than OpenSSH's say it in words of their own: of mail, of files, small ones of ssh.

None of them writes an address anywhere but before what a client chose, or behind it in a place that is the only one of its
kind: of a line that has several, nobody knows whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.event import Result, SecurityEvent, What
from zen_agents.logs.security.places import LONGEST, NOWHERE, PEER, the_place

_USER = r"(?P<user>.*)"
#: Without brackets an IPv6 address has its port behind one more colon.
_WITH_PORT = r"(?P<peer>[^ <>]{1,255}):[0-9]{1,5}"
#: proftpd: its own name, then the client's as the DNS has it, and its address.
_BY = r"[^ ]+ \([^ \[\]()]*\[(?P<peer>[^ \[\]]{1,255})\]\)(?::| -) "
_LOGIN_OF_DOVECOT = (
    r"(?:imap|pop3|submission|managesieve)-login: (?:Info: )?[A-Z][^<>]*?"
    r"\((?:(?:proxy dest )?auth failed(?:, (?P<times>[0-9]{1,4}) attempts(?: in [0-9]+ secs)?)?|"
    r"tried to use (?:disabled|disallowed) [a-z]+ auth)\)(?: \([a-z_]+\))?: "
)
_WHY = r"(?:unknown user|[Pp]assword mismatch|pam_authenticate\(\) failed|invalid credentials)"


@dataclass(frozen=True, slots=True)
class _Form:
    text: re.Pattern[str]
    result: Result = Result.FAILED
    #: What must be in the line once, and no more, because a name that may hold anything stands before it.
    once: re.Pattern[str] | None = None


def _form(text: str, result: Result = Result.FAILED, once: str = "") -> _Form:
    return _Form(re.compile(text), result, re.compile(once) if once else None)


_DROPBEAR: Final = (
    _form(rf"[Bb]ad (?:PAM )?password attempt for '{_USER}' from {_WITH_PORT}"),
    _form(rf"[Ll]ogin attempt for nonexistent user(?: '{_USER}')? from {_WITH_PORT}", Result.REFUSED),
    _form(rf"Exit before auth \(.*\): Max auth tries reached - user '{_USER}' from {_WITH_PORT}", Result.REFUSED),
    _form(
        rf"Exit before auth from <{_WITH_PORT}>: (?:\(user '.*', [0-9]+ fails\): )?Max auth tries reached - user '{_USER}'",
        Result.REFUSED,
    ),
)
_DOVECOT: Final = (
    _form(rf"{_LOGIN_OF_DOVECOT}(?:user=<{_USER}>, )?(?:method=[^ ,]+, )?rip={PEER}, lip=.*", once="rip="),
    _form(
        rf"auth(?:-worker)?(?:\([0-9a-z]+\))?: (?:Info: )?(?:conn unix:[^ ]+ \([^()]*\): auth-worker<[0-9]+>: )?"
        rf"(?:pam|sql|ldap|passwd-file|static)\((?P<user>[^(),]*),(?P<peer>[^ ,()<>]{{1,255}})(?:,<[^ ]*>)?\): {_WHY}.*",
        once=rf"\): {_WHY}",
    ),
)
_PROFTPD: Final = (
    _form(rf"{_BY}USER {_USER} \(Login failed\): .*"),
    _form(rf"{_BY}USER {_USER}: no such user found from .*", Result.REFUSED),
    _form(rf"{_BY}Maximum login attempts \([0-9]+\) exceeded.*", Result.REFUSED),
    _form(rf"{_BY}SECURITY VIOLATION: (?P<user>[Rr]oot) login attempted\.?", Result.REFUSED),
)
_COURIER: Final = (
    _form(
        rf"LOGIN FAILED, (?:user={_USER}, |method=[A-Z0-9-]+, )ip=\[(?P<peer>[^ \]]+)\](?:, port=\[[0-9]+\])?",
        once=r", ip=\[",
    ),
)
_RLOGIN: Final = (_form(r"Authentication failed from [^ ]+ \((?P<peer>[^ ()]+)\): .*"),)
_FORMS: Final[Mapping[str, Sequence[_Form]]] = {
    "dropbear": _DROPBEAR,
    "dovecot": _DOVECOT,
    "proftpd": _PROFTPD,
    "pure-ftpd": (_form(rf"\([^ ()]*@{PEER}\) \[WARNING\] Authentication failed for user \[{_USER}\]"),),
    "vsftpd": (_form(rf'\[{_USER}\] FAIL LOGIN: Client "(?P<peer>[^ "]+)"(?:, "[A-Z][^"]*")?', once="FAIL LOGIN: "),),
    "smtpd": (
        _form(
            r"warning: [^ \[\]]+\[(?P<peer>[^ \]]+)\](?::[0-9]+)?: SASL [^ ]+ authentication failed"
            rf"(?:: .*?)?(?:, sasl_username={_USER})?"
        ),
    ),
    "imapd": _COURIER, "pop3d": _COURIER, "imapd-ssl": _COURIER, "pop3d-ssl": _COURIER,
    "klogind": _RLOGIN, "kshd": _RLOGIN,
    "pvedaemon": (_form(rf"authentication failure; rhost={PEER} user={_USER} msg=.*"),),
}  # fmt: skip
#: What a daemon puts before its message where another writes its standard error to the log.
_TWICE = re.compile(r"\[[0-9]+\] [A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} ")


def event_of(message: str, program: str) -> SecurityEvent | None:
    """Return what a message of one of these servers tells, None if that is no log-in that failed. Linear in its length."""
    if len(message) > LONGEST:
        return None
    twice = _TWICE.match(message)
    said = message[twice.end() :] if twice else message
    for form in _FORMS.get(program, ()):
        if (found := form.text.fullmatch(said)) is not None:
            return _event(form, found, program)
    return None


def _event(form: _Form, found: re.Match[str], program: str) -> SecurityEvent:
    is_sure = form.once is None or len(form.once.findall(found[0])) == 1
    place = the_place(found) if is_sure else NOWHERE
    return SecurityEvent(
        What.LOGIN, form.result, program, user=place.user, address=place.address, peer=place.peer, method="password",
        times=max(1, int(found.groupdict().get("times") or 1)),
    )  # fmt: skip
