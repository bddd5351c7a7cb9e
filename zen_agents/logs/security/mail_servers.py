"""What servers of mail, and what is read with them, say of log-ins that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.logs.security.event import Result, What
from zen_agents.logs.security.places import PEER
from zen_agents.logs.security.server_form import USER, ServerForm, form

_LOGIN_OF_DOVECOT: Final = (
    r"(?:imap|pop3|submission|managesieve)-login: (?:Info: )?[A-Z][^<>]*?"
    r"\((?:(?:proxy dest )?auth failed(?:, (?P<times>[0-9]{1,4}) attempts(?: in [0-9]+ secs)?)?|"
    r"tried to use (?:disabled|disallowed) [a-z]+ auth)\)(?: \([a-z_]+\))?: "
)
_WHY: Final = r"(?:unknown user|[Pp]assword mismatch|pam_authenticate\(\) failed|invalid credentials)"
_BACKEND: Final = r"(?:pam|sql|ldap|passwd-file|static)"
_WORKER: Final = r"(?:conn unix:[^ ]+ \([^()]*\): auth-worker<[0-9]+>: )?"
_DOVECOT: Final = (
    form(rf"{_LOGIN_OF_DOVECOT}(?:user=<{USER}>, )?(?:method=[^ ,]+, )?rip=(?P<peer>[^ ,]{{1,255}})(?:, .*)?", once="rip="),
    form(
        rf"auth(?:-worker)?(?:\([0-9a-z]+\))?: (?:Info: )?{_WORKER}"
        rf"{_BACKEND}\((?P<user>[^(),]*),(?P<peer>[^ ,()<>]{{1,255}})(?:,(?:<[^ ]*>)?)?\): {_WHY}.*",
        once=rf"\): {_WHY}",
    ),
    # Since 2.4 who it is about stands in front.
    form(
        rf"auth(?:-worker)?\((?P<user>[^(),]*),(?P<peer>[^ ,()<>]{{1,255}})(?:,[a-z:]+)?\)(?:<[^ ]*>)?: (?:Info: )?"
        rf"{_BACKEND}: {_WHY}.*",
        once=rf": {_BACKEND}: {_WHY}",
    ),
)
#: The server behind postfix was not there, or knows no such mechanism: of what the client showed nobody judged anything.
_NO_JUDGEMENT: Final = r"(?!:? *(?:Connection lost to authentication server|Invalid authentication mechanism))"
#: What the DNS calls a client is the client's choice; it has no brackets.
_OF_POSTFIX: Final = r"[^ \[\]]+\[(?P<peer>[^ \]]+)\](?::[0-9]+)?"
_POSTFIX: Final = (
    form(
        rf"warning: {_OF_POSTFIX}: SASL [^ ]+ authentication failed{_NO_JUDGEMENT}(?::(?: .*?)?)?(?:, sasl_username={USER})?"
    ),
    form(rf"(?:NOQUEUE: )?lost connection after AUTH from {_OF_POSTFIX}", Result.ENDED, what=What.CONNECTION),
)
_OPENSMTPD: Final = (
    form(r'[0-9a-f]+ smtp (?:event=)?failed-command address=(?P<peer>[^ ]+) host=[^ ]+ command="AUTH .*" result="535 .*"'),
    form(
        r'[0-9a-f]+ smtp (?:event=)?failed-command address=(?P<peer>[^ ]+) host=[^ ]+ command="AUTH .*" result="503 .*"',
        Result.REFUSED,
    ),
)
_OF_EXIM: Final = r"(?:[^ ()\[\]]+ )?(?:\([^ ()]*\) )?\[(?P<peer>[^ \[\]]+)\](?::[0-9]+)?"
_EXIM: Final = (
    form(
        rf"(?:\[[0-9]+\] )?[A-Za-z0-9_]+ authenticator failed for {_OF_EXIM}"
        r"(?: I=\[[^ \]]+\]:[0-9]+)?(?: U=[^ ]+)?(?: Ci=[0-9]+)?: "
        rf"535 Incorrect authentication data(?: \(set_id={USER}\))?"
    ),
    # What a client said stands before its address: it is believed only where it has the form that such a command has.
    form(
        rf'(?:\[[0-9]+\] )?SMTP protocol error in "(?i:AUTH) [A-Za-z0-9-]+(?: [A-Za-z0-9+/=]+)?" H={_OF_EXIM}'
        r"(?: I=\[[^ \]]+\]:[0-9]+)?(?: Ci=[0-9]+)? "
        r"(?:AUTH command used when not advertised|[A-Za-z0-9-]+ authentication mechanism not supported)",
        Result.REFUSED,
    ),
)
_OF_SENDMAIL: Final = r"(?:[^ \[\]]+ )?\[(?P<peer>[^ \[\]]+)\](?: \(may be forged\))?"
_SENDMAIL: Final = (
    form(rf"[A-Za-z0-9]+: AUTH failure \([^()]+\): .*?, user={USER}, relay={_OF_SENDMAIL}"),
    form(rf"[A-Za-z0-9]+: AUTH failure \([^()]+\): .*, relay={_OF_SENDMAIL}"),
    form(rf"[A-Za-z0-9]+: {_OF_SENDMAIL}: possible SMTP attack: command=AUTH, count=[0-9]+", Result.REFUSED),
)
_COURIER: Final = (
    form(
        rf"LOGIN FAILED, (?:user={USER}, |method=[A-Z0-9-]+, )ip=\[(?P<peer>[^ \]]+)\](?:, port=\[[0-9]+\])?",
        once=r", ip=\[",
    ),
)
_OF_CYRUS: Final = r"badlogin: (?:[^ \[\]]+ ?)?\[(?P<peer>[^ \[\]]+)\]"
_CYRUS: Final = (
    form(rf"{_OF_CYRUS} plaintext {USER} \[?SASL\(.*", once=r" \[?SASL\("),
    form(rf"{_OF_CYRUS} [A-Za-z0-9-]+ (?:\({USER}\) )?\[?SASL\(.*", once=r" \[?SASL\("),
    form(rf"{_OF_CYRUS} [A-Za-z0-9-]+ authentication failure"),
)
_OF_UW: Final = (
    rf"(?:Login failed|Login excessive login failures|Login disabled) user={USER} auth=.* host=(?:[^ ]+ )?\[{PEER}\]"
)
_UNIVERSITYS: Final = (form(_OF_UW, once=" auth="),)
_VPOPMAIL: Final = (
    form(
        r"(?:vchkpw-[a-z0-9]+: )?(?:vpopmail user not found|password fail(?: \([^()]*\))?|null password given) "
        rf"{USER}:(?P<peer>[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}})"
    ),
)
_HORDE: Final = (
    form(
        rf"(?:\[(?:error|notice)\] )?\[(?:horde|imp)\] FAILED LOGIN for {USER} \[(?P<peer>[0-9A-Fa-f.:]+)\]"
        r"(?: \(forwarded for \[.*\]\))? to .*",
        once=r"\] (?:\(forwarded for \[.*\]\) )?to ",
    ),
)

FORMS: Final[Mapping[str, Sequence[ServerForm]]] = {
    "dovecot": _DOVECOT,
    "smtpd": (*_POSTFIX, *_OPENSMTPD),
    "exim": _EXIM, "exim4": _EXIM,
    "sendmail": _SENDMAIL, "sm-mta": _SENDMAIL, "sm-acceptingconnections": _SENDMAIL,
    "imap": _CYRUS, "imaps": _CYRUS, "pop3": _CYRUS, "pop3s": _CYRUS,
    "imapd": (*_COURIER, *_CYRUS, *_UNIVERSITYS), "pop3d": (*_COURIER, *_CYRUS),
    "imapd-ssl": _COURIER, "pop3d-ssl": _COURIER, "courierpop3login": _COURIER,
    "ipop3d": _UNIVERSITYS,
    "sieve": _CYRUS, "timsieved": _CYRUS,
    "vpopmail": _VPOPMAIL,
    "horde": _HORDE, "HORDE": _HORDE,
}  # fmt: skip
