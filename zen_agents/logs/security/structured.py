"""Applications that write their logs in fields: who could not log in, and from where, stands in fields of its own.

A name cannot pretend to be another field here: the format has taken them apart, and what the address is, no message says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from zen_agents.logs.record import MESSAGE
from zen_agents.logs.security.addresses import peer_of
from zen_agents.logs.security.event import Result, SecurityEvent, What

#: One of these is in each entry that is understood here, and in none of syslog.
TELLING: Final = frozenset({"remoteAddr", "attr.remote", "remote_addr"})
_OF_NEXTCLOUD: Final = re.compile(r"Login failed: (?P<user>.*) \(Remote IP: [^ ()]*\)", re.DOTALL)
_PORT: Final = re.compile(r":[0-9]{1,5}\Z")


def event_of(fields: Mapping[str, str]) -> SecurityEvent | None:
    """Return what an entry of Nextcloud, MongoDB or Grafana tells of a log-in that failed; None if it is nothing of it."""
    message = fields.get(MESSAGE, "")
    if "reqId" in fields and (found := _OF_NEXTCLOUD.fullmatch(message)):
        return _failed("nextcloud", fields.get("remoteAddr", ""), found["user"])
    if fields.get("c") == "ACCESS" and message == "Authentication failed":
        peer = _PORT.sub("", fields.get("attr.remote", "")).strip("[]")
        name = fields.get("attr.principalName") or fields.get("attr.user", "")
        return _failed("mongod", peer, name, is_unknown=fields.get("attr.error", "").startswith("UserNotFound"))
    if fields.get("logger") == "context" and message == "Invalid username or password":
        return _failed("grafana", fields.get("remote_addr", ""), fields.get("uname", ""))
    return None


def _failed(program: str, client: str, user: str, *, is_unknown: bool = False) -> SecurityEvent:
    address, peer = peer_of(client)
    return SecurityEvent(
        What.LOGIN, Result.FAILED, program, user=user, address=address, peer=peer, method="password",
        is_unknown_user=is_unknown,
    )  # fmt: skip
