"""What the kernel's audit records say of log-ins: in a file of auditd's, and in the journal.

Whoever writes a record encodes a name that has a blank or a quotation mark in it, so where a name ends is certain.
"""

from __future__ import annotations

import re
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.addresses import peer_of
from zen_agents.logs.security.event import Result, SecurityEvent, What

#: What a line of auditd's file begins with.
BEGINNING: Final = ("type=USER_", "node=")
#: As auditd writes it, and as journald does.
_RECORD = re.compile(
    r"(?:(?:node=[^ ]{1,255} )?type=(?P<type>USER_AUTH|USER_LOGIN) msg=audit\([0-9.]{1,20}:[0-9]{1,20}\):"
    r"|(?P<type2>USER_AUTH|USER_LOGIN)) "
    r"(?:user )?pid=[0-9]+ [^']*msg='(?P<said>[^']*)'(?:[^'].*)?"
)
_SAID = re.compile(
    r'op=(?P<op>[^ ]{1,64}) (?:grantors=[^ ]* )?(?:acct|id)=(?:"(?P<user>[^"]*)"|(?P<encoded>[0-9A-F]{2,512})|[^ "]*) '
    r'exe="(?P<exe>[^"]{1,255})" hostname=[^ ]+ addr=(?P<peer>[^ ]+) terminal=[^ ]+ res=(?P<res>success|failed)'
)
#: What sshd writes where there is no such account.
_NOBODY: Final = frozenset({"(unknown user)", "(invalid user)", "(unknown)", "?"})
_LOCAL: Final = frozenset({"sudo", "su", "doas", "pkexec", "polkit-agent-helper-1"})


@dataclass(frozen=True, slots=True)
class _Told:
    kind: str
    said: re.Match[str]


def event_of(text: str) -> SecurityEvent | None:
    """Return what a record tells of a log-in, None if it tells of none."""
    told = _told(text)
    if told is None:
        return None
    is_ok = told.said["res"] == "success"
    program = told.said["exe"].rpartition("/")[2]
    is_local = program in _LOCAL
    # That a password was right is one step of several; that somebody logged in is a record of its own.
    if is_ok and (told.kind != "USER_LOGIN" or is_local):
        return None
    user = _user(told.said)
    address, peer = peer_of(told.said["peer"])
    return SecurityEvent(
        What.PRIVILEGE if is_local else What.LOGIN, Result.OK if is_ok else Result.FAILED, program,
        user="" if user in _NOBODY else user, address=address, peer=peer, method=told.said["op"].lower(),
        is_unknown_user=user in _NOBODY, is_privileged=is_ok and user == "root",
    )  # fmt: skip


def _told(text: str) -> _Told | None:
    record = _RECORD.fullmatch(text)
    said = _SAID.fullmatch(record["said"]) if record else None
    return _Told(record["type"] or record["type2"], said) if record and said else None


def _user(said: re.Match[str]) -> str:
    if not said["encoded"]:
        return said["user"] or ""
    return bytes.fromhex(said["encoded"][: len(said["encoded"]) // 2 * 2]).decode("utf-8", "replace")
