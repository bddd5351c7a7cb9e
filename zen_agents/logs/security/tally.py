"""What lines told of security, counted for one look at it: who tried from where, how often and as how many accounts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zen_agents.logs.findings import MOST_VALUE, Commonest, TopValue
from zen_agents.logs.security.event import Result, SecurityEvent, What

#: So many different events are counted at once; so often at most one line says that it came.
_MOST_EVENTS: Final = 256
_MOST_TIMES: Final = 1000
#: So many accounts of one address are told apart, and so many of them are named.
_MOST_ACCOUNTS, _MOST_NAMED = 50, 3
#: What is no news: who may, does.
_USUAL: Final = frozenset({(What.LOGIN, Result.OK), (What.CONNECTION, Result.ENDED)})
#: A name that reads like the words around it stands in quotation marks.
_PLAIN_NAME: Final = re.compile(r"[^\s\"',:;()]+")


class SecurityTally:
    """Counts events; what it keeps is bounded, whatever lines hold. Tries of one address count together."""

    def __init__(self) -> None:
        #: How many there were in all.
        self.events = 0
        self._counts = Commonest(_MOST_EVENTS)
        self._accounts: dict[str, dict[str, None]] = {}

    def add(self, event: SecurityEvent) -> None:
        """Count an event, unless it is no news."""
        if (event.what, event.result) in _USUAL:
            return
        times = min(event.times, _MOST_TIMES)
        self.events += times
        by_address = event.what is What.LOGIN and bool(event.address or event.peer)
        text = _sentence(event, "{}" if by_address else event.user)[:MOST_VALUE]
        for _ in range(times):
            self._counts.add(text)
        if by_address:
            self._note(text, event.user)

    def top(self) -> Sequence[TopValue]:
        """Return what was counted, the commonest first."""
        return [TopValue(self._told(each.value), each.count, each.missed) for each in self._counts.top(_MOST_EVENTS)]

    def _note(self, text: str, account: str) -> None:
        if text not in self._accounts and len(self._accounts) >= 2 * _MOST_EVENTS:
            left = {each.value for each in self._counts.top(_MOST_EVENTS)}
            self._accounts = {each: known for each, known in self._accounts.items() if each in left}
        known = self._accounts.setdefault(text, {})
        if account and len(known) < _MOST_ACCOUNTS:
            known[account[:MOST_VALUE]] = None

    def _told(self, text: str) -> str:
        if text not in self._accounts:
            return text
        known = list(self._accounts[text])
        named = ", ".join(map(_named, known[:_MOST_NAMED]))
        if len(known) <= 1:
            return text.replace(" as {}", f" as {named}" if named else "", 1)
        many = f"{len(known)} accounts" if len(known) < _MOST_ACCOUNTS else f"{_MOST_ACCOUNTS} accounts or more"
        return text.replace(" as {}", "", 1) + f" as {many}: {named}" + (", …" if len(known) > _MOST_NAMED else "")


def _named(name: str) -> str:
    return name if _PLAIN_NAME.fullmatch(name) else f'"{name}"'


def _sentence(event: SecurityEvent, user: str) -> str:
    """Return who did what, in a few words; what is not known is left out."""
    peer = event.address or event.peer
    parts = [
        f"{event.what.value.replace('_', ' ')} {event.result.value}",
        f"({event.method})" if event.method else "", f"as {user if user == '{}' else _named(user)}" if user else "",
        f"by {_named(event.by)}" if event.by else "", f"from {peer}" if peer else "",
    ]  # fmt: skip
    return " ".join(part for part in parts if part)
