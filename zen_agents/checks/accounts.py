"""Accounts and keys that were not there before, as /etc/passwd and the files of authorized keys say.

What is there at the first look is known; from then on every account and every key is told once, for a while, whoever put
it there: also by an editor, of which no log says anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.logs.memory import checked_number, checked_rows
from zen_agents.logs.security.authorized_keys import key_in
from zen_agents.model.observation import Observation, Status, facts_of_lines
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView

TARGET = "source:accounts"
NEW_USER, NEW_KEY = "new_user.accounts", "new_key.accounts"
_PASSWD = "/etc/passwd"  # noqa: S105  # nosec B105  a file's name
_KEY_FILES = (".ssh/authorized_keys", ".ssh/authorized_keys2")
#: Where the name of the account ends in what is told.
_WHOSE = re.compile(r": | \(")
#: Bytes of one file that are read; accounts and keys that are known; new ones that are told at once, and named.
_MOST_BYTES, _MOST_KNOWN, _MOST_TOLD, _MOST_NAMED = 1 << 20, 20_000, 100, 5


class AccountsCheck(Check):
    """Observes `new_user.accounts` and `new_key.accounts`: how many came within `tell_for_seconds`, PROBLEM if any did.

    A key whose file cannot be read makes `new_key.accounts` UNKNOWN. Accounts of a directory service are not seen.
    """

    kind = "accounts"
    summary = "Is there an account, or a key that may log in, that was not there before?"

    def __init__(self, *, tell_for_seconds: float, every_seconds: float) -> None:
        super().__init__(name="accounts", target=TARGET, every_seconds=every_seconds, timeout_seconds=30.0)
        self._tell_for = tell_for_seconds
        #: What was there at the last look, by kind; None before the first.
        self._known: dict[str, dict[str, None]] | None = None
        #: What is told: kind, text, when it was seen first (seconds since the epoch).
        self._told: list[tuple[str, str, float]] = []
        #: Path of a file of keys -> its fingerprint, and its keys.
        self._files: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._memory: Mapping[str, Any] | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return (NEW_USER, NEW_KEY)

    def watches(self) -> Sequence[Watch]:
        """Return what says at once that an account came."""
        return (Watch("path", _PASSWD),)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare what is there with what was; HostError if the accounts cannot be read."""
        accounts = list(_accounts(host.read_text(_PASSWD, limit=_MOST_BYTES)))
        keys, unread = self._keys(accounts, host)
        here = {
            NEW_USER: dict.fromkeys(f"{name} (user id {uid})" for name, uid, _ in accounts[:_MOST_KNOWN]),
            NEW_KEY: dict.fromkeys(keys[:_MOST_KNOWN]),
        }
        self._notice(here, now.wall.timestamp(), keep=bool(unread))
        users, new_keys = (self._observation(kind, now, len(here[kind])) for kind in self.observes)
        if unread and new_keys.status is Status.OK:
            why = f"{unread[0]} cannot be read" + (f", nor can {len(unread) - 1} more" if len(unread) > 1 else "")
            new_keys = new_keys._replace(status=Status.UNKNOWN, value=None, detail=why)
        return users, new_keys

    def memory(self) -> Mapping[str, Any] | None:
        """Return what is known, and what is told."""
        return self._memory

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._memory, self._known, self._told, known = memory or None, None, [], memory.get("known")
        if isinstance(known, Mapping):
            self._known = {
                kind: dict.fromkeys(each for each in rows[:_MOST_KNOWN] if isinstance(each, str))
                for kind in self.observes if isinstance(rows := known.get(kind), list)
            }  # fmt: skip
        for kind, text, at in checked_rows(memory.get("told"), width=3)[-_MOST_TOLD:]:
            if kind in self.observes and isinstance(text, str) and (seen := checked_number(at)) is not None:
                self._told.append((kind, text, seen))

    def _keys(self, accounts: Sequence[tuple[str, str, str]], host: HostView) -> tuple[list[str], list[str]]:
        """Return the keys of all accounts, and the files that could not be read."""
        found: dict[str, None] = {}
        unread: list[str] = []
        files: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, _, home in accounts:
            for path in (f"{home}/{file}" for file in _KEY_FILES):
                try:
                    read = self._read(path, host)
                except HostError:
                    unread.append(path)
                    continue
                if read is not None:
                    files[path] = read
                    found.update(dict.fromkeys(f"{name}: {key}" for key in read[1]))
        self._files = files
        return list(found), unread

    def _read(self, path: str, host: HostView) -> tuple[str, tuple[str, ...]] | None:
        state = host.file(path)
        if state is None:
            return None
        known = self._files.get(path)
        if known is not None and known[0] == state.fingerprint:
            return known
        lines = host.read_text(path, limit=_MOST_BYTES).splitlines()
        return state.fingerprint, tuple(key for line in lines if (key := key_in(line)) is not None)

    def _notice(self, here: dict[str, dict[str, None]], now: float, *, keep: bool) -> None:
        """Note what is new; what could not be read now is not gone (`keep`)."""
        before, told = self._known, self._told
        if before is not None:
            told = [*told, *_fresh(before, here, now)][-_MOST_TOLD:]
            if keep:
                here[NEW_KEY] = {**before.get(NEW_KEY, {}), **here[NEW_KEY]}
        told = [each for each in told if now - each[2] < self._tell_for]
        if before != here or told != self._told:
            known = {kind: list(all_of) for kind, all_of in here.items()}
            self._memory = {"known": known, "told": [list(each) for each in told]}
        self._known, self._told = here, told

    def _observation(self, kind: str, now: Instant, there: int) -> Observation:
        told = [text for what, text, _ in self._told if what == kind]
        if not told:
            return Observation(kind, self.target, Status.OK, now, 0.0, f"{there} are known")
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        named = told[-_MOST_NAMED:]
        facts = facts_of_lines(named, (), [("user", _WHOSE.split(text)[0]) for text in named])
        return Observation(kind, self.target, Status.PROBLEM, now, float(len(told)), f"{told[-1]}{more}", facts=facts)


def _fresh(
    before: Mapping[str, Mapping[str, None]], here: Mapping[str, Mapping[str, None]], now: float
) -> Iterator[tuple[str, str, float]]:
    for kind, all_of in here.items():
        known = before.get(kind)
        yield from ((kind, text, now) for text in all_of if known is not None and text not in known)


def _accounts(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, user id and home of each account of passwd(5)."""
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) >= 7 and fields[5].startswith("/"):
            yield fields[0], fields[2], fields[5].rstrip("/")
