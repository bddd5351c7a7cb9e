"""Lines that name no program: messages alone, as `journalctl -o cat` prints them, and the logs that servers keep themselves.

Nobody says who wrote such a line, so it tells of log-ins and connections alone: whoever has the lines of such a source
understood says that nobody else writes there.
"""

from __future__ import annotations

import re
from typing import Final

from zen_agents.logs.security import pam, sshd
from zen_agents.logs.security.event import SecurityEvent, What

#: What may be left of a head: PHP's stamp, facility and level, the kernel's clock.
_LEFT = re.compile(
    r"(?:\[[0-9]{2}-[A-Z][a-z]{2}-[0-9]{4} [0-9:]{8}(?: [A-Za-z0-9/+-]{1,32})?\]: )?"
    r"(?:[a-z0-9]{2,9}\.(?:emerg|alert|crit|err|warning|warn|notice|info|debug): )?"
    r"(?:kernel: ?\[ *[0-9]{1,9}\.[0-9]{1,9}\]:? )?"
)
#: Each message of a server other than OpenSSH's has one of these, in letters of either size.
_WORDS_OF_SERVERS: Final = (
    "fail", "denied", "login", "invalid", "not found", "mismatch", "unknown user", "no such user", "incorrect", "violation",
    "nonexistent", "before auth", "after auth", "=auth", " auth)", "not authenticated", "doesn't match", "pg_hba",
    "exceeded", "securityevent", "password attempt", "authentication attempt", "not advertised", "mechanism not supported",
    "wrong password", "wrong authentication", "might not have worked", "verify error", "can't find user",
)  # fmt: skip
#: Each line that tells of anything has one of these, with a head or without; few lines of other logs have. Looking for a
#: word costs a fiftieth of what reading the line costs.
_WORDS: Final = (
    *_WORDS_OF_SERVERS, "illegal", "accepted", "not allowed", "refused", "disconnect", "connection ", "identification",
    "negotiate", "timeout before", "username", "authentication", "prohibited", "expired", "tally", "sudo", "pkexec",
    "doas", "runuser", "passwd", "useradd", "adduser", "usermod", "userdel", "groupadd", "groupdel", "newusers", "chsh",
    "chfn", " su[", " su:", " su-l",
)  # fmt: skip
_ABOUT: Final = frozenset({What.LOGIN, What.CONNECTION})


def may_tell(text: str) -> bool:
    """Tell whether a line, with a head or without, is worth reading for what it tells."""
    return any(map(text.lower().__contains__, _WORDS))


def event_of(message: str) -> SecurityEvent | None:
    """Return what a message tells, None if that is nothing of this kind. Linear in its length."""
    left = _LEFT.match(message)
    said = message[left.end() :].strip(" ") if left else message
    event = sshd.event_of(said, "sshd") or pam.event_of(said, "pam")
    # Words as common as these are taken for sshd's or PAM's where they name a peer.
    if event is not None and event.what in _ABOUT and (event.address or event.peer):
        return event
    return _of_a_server(said) if any(map(said.lower().__contains__, _WORDS_OF_SERVERS)) else None


def _of_a_server(said: str) -> SecurityEvent | None:
    from zen_agents.logs.security import servers  # noqa: PLC0415 - its patterns are compiled where such a line is

    return servers.event_of_any(said)
