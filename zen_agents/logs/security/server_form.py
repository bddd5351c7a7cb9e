"""How a message reads by which a server says that somebody could not log in."""

from __future__ import annotations

import re

from zen_agents.dataclass import dataclass
from zen_agents.logs.security.event import Result, What

#: What a client chose: it may hold anything, so what stands before or behind it has to be fixed.
USER = r"(?P<user>.*)"


@dataclass(frozen=True, slots=True)
class ServerForm:
    """One message: how all of it reads, with the groups `user`, `peer` and `times` where it has them, and what it means."""

    text: re.Pattern[str]
    result: Result = Result.FAILED
    #: What must be in the line once, and no more, because a name that may hold anything stands before it.
    once: re.Pattern[str] | None = None
    what: What = What.LOGIN


def form(text: str, result: Result = Result.FAILED, *, once: str = "", what: What = What.LOGIN) -> ServerForm:
    """Return a form, compiled."""
    return ServerForm(re.compile(text), result, re.compile(once) if once else None, what)
