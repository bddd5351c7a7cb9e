"""One thing that a line tells about security."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from zen_agents.dataclass import dataclass


class What(StrEnum):
    """What was tried or done."""

    #: Somebody tried to prove who they are: sshd, the console, a PAM service, a web server's password.
    LOGIN = "login"
    #: A connection without a try: given up before, not spoken as the protocol has it, dropped by the server.
    CONNECTION = "connection"
    #: Something was done, or tried, as somebody else: sudo, su, doas, pkexec.
    PRIVILEGE = "privilege"
    #: An account or a group was added, changed or deleted.
    ACCOUNT = "account"
    #: A password was set, locked or unlocked.
    PASSWORD = "password"  # noqa: S105  # nosec B105  a name, no secret
    #: An account became a member of a group, or is one no longer.
    MEMBERSHIP = "membership"
    #: A request that looks like an attack on a web application; `method` says which.
    WEB_ATTACK = "web_attack"


class Result(StrEnum):
    """What came of it."""

    OK = "ok"
    #: What was shown was wrong.
    FAILED = "failed"
    #: It is not allowed, whatever is shown.
    REFUSED = "refused"
    #: It ended before anything was decided.
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """What happened, to whom, by whom, from where. "" is what the line does not say for certain. All texts are untrusted."""

    what: What
    result: Result
    #: The program that wrote the line.
    program: str
    #: The account it is about: that of a log-in, that which a command runs as, that which was changed.
    user: str = ""
    #: The account that did it.
    by: str = ""
    #: An IPv4 or IPv6 address as `ipaddress` writes it; never a name.
    address: str = ""
    #: What the program printed for a peer where that is a name.
    peer: str = ""
    #: How: `password`, `publickey`, `sudo`, the kind of an attack.
    method: str = ""
    #: What else there is to say: a group, a command, a key's fingerprint.
    detail: str = ""
    #: The server knows no such account.
    is_unknown_user: bool = False
    #: Gives power over the whole host: root, an account with user id 0, a group that may do anything.
    is_privileged: bool = False
    #: How often; more than once where the log's daemon put equal lines together.
    times: int = 1

    def fields(self) -> Mapping[str, str]:
        """Return it as fields of a line, for `where:` and `by:`; what is not known is left out."""
        said = {
            "event": self.what.value, "result": self.result.value, "user": self.user, "by": self.by, "address": self.address,
            "peer": self.peer, "method": self.method, "detail": self.detail, "times": str(self.times),
            "unknown_user": "true" if self.is_unknown_user else "", "privileged": "true" if self.is_privileged else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}
