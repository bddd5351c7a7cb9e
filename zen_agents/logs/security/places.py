"""Where in a message the program itself printed a user and a peer, whatever a client put before or behind it."""

from __future__ import annotations

import re

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.addresses import peer_of

#: How a peer is written: no program writes one with a space in it.
PEER = r"(?P<peer>[^ ]{1,255})"
PORT = r"(?P<port>[0-9]{1,5})"
#: sshd cuts a message here (`MSGBUFSIZ`); of a longer one nobody knows whether its end is its own.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """What stands where a program prints it. All empty where several places could be that one."""

    user: str = ""
    address: str = ""
    peer: str = ""


NOWHERE = Place()


def the_place(found: re.Match[str]) -> Place:
    """Return what the groups `user` and `peer` (or `peer2`) of a match took, of which a form may lack either."""
    named = found.groupdict()
    return Place(named.get("user") or "", *peer_of(named.get("peer") or named.get("peer2") or ""))


def only_place(between: re.Pattern[str], text: str) -> Place:
    """Return the user before, and the peer in, the only place that looks like this; NOWHERE if there are several."""
    places = list(between.finditer(text))
    # Two that overlap are two as well: the search goes on behind the first word of what it found.
    if len(places) != 1 or between.search(text, places[0].start() + 1):
        return NOWHERE
    return Place(text[: places[0].start()], *peer_of(places[0]["peer"]))
