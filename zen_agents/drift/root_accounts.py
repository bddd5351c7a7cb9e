"""Accounts with the rights of root (user id 0) that nobody listed, and whether anybody can log in as them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError
from zen_agents.ports.host import HostView

PASSWD, SHADOW = "/etc/passwd", "/etc/shadow"  # nosec B105  names of files
#: An account that expired on a day before this one (days since 1970) did so to be locked: `usermod --expiredate 1`.
_LONG_PAST = 10_000
#: How the C library reads user id 0, by strtoul(3).
_ZERO: Final = re.compile(r"[ \t\v\f\r]*[+-]?0+", re.ASCII)


@dataclass(frozen=True, slots=True)
class RootAccount:
    """One account with user id 0."""

    name: str
    home: str
    shell: str
    #: True if no password opens it.
    password_locked: bool
    #: True if no password is asked for.
    without_password: bool
    #: The day from which it lets nobody in, as shadow(5) writes it; "" for never.
    expires: str
    #: What it was, without its secrets.
    fingerprint: str

    @property
    def is_locked(self) -> bool:
        """True if nobody logs in as it: by no password, and, since it has expired, by no key either."""
        return self.password_locked and self.expires.isdecimal() and int(self.expires) < _LONG_PAST

    @property
    def said(self) -> str:
        """What it is, in words."""
        return f"{self.name} (user id 0, home {self.home}, shell {self.shell or '/bin/sh'})"


def root_accounts(host: HostView) -> tuple[RootAccount, ...]:
    """Return every account with user id 0, as /etc/passwd and /etc/shadow say; HostError if they cannot be read."""
    lines = list(_fields(host, PASSWD, least=4, of=7))
    if not any(_is_root(fields) for fields in lines):
        raise HostError(f"{PASSWD} names no account with user id 0, which no host is without")
    shadow: dict[str, list[str]] = {}
    for fields in _fields(host, SHADOW, least=8, of=8):
        shadow.setdefault(fields[0], fields)  # of two lines the first counts
    return tuple(_account(fields, shadow) for fields in lines if _is_root(fields))


def unlisted_root_accounts(known: Collection[str], host: HostView) -> tuple[RootAccount, ...]:
    """Return those that are not listed and as which somebody can log in; HostError if that cannot be told."""
    return tuple(account for account in root_accounts(host) if account.name not in known and not account.is_locked)


def _fields(host: HostView, path: str, *, least: int, of: int) -> Iterator[list[str]]:
    """Yield the fields of each line as the C library reads it: the last may be left out, and only a line end ends one.

    A line that only the C library understood would be an account that nobody is told of.
    """
    content = host.content(path)
    if not isinstance(content, bytes):
        raise HostError(f"{path} is not there")
    for line in content.decode("utf-8", "replace").split("\n"):
        fields = line.lstrip(" \t\v\f\r").split(":")
        if len(fields) >= least and not fields[0].startswith("#"):
            yield [*fields, *[""] * (of - len(fields))]


def _is_root(fields: list[str]) -> bool:
    return _ZERO.fullmatch(fields[2]) is not None


def _account(fields: list[str], shadow: Mapping[str, list[str]]) -> RootAccount:
    name, password, _, _, _, home, shell = fields[:7]
    kept = shadow.get(name)
    if password == "x" and kept is not None:  # noqa: S105  # nosec B105  the mark that the password is in /etc/shadow
        password = kept[1]
    seen = "\n".join(":".join(each) for each in (fields, kept or []))
    return RootAccount(
        name, home, shell, password_locked=password.startswith(("!", "*")), without_password=not password,
        expires=kept[7] if kept is not None else "",
        fingerprint=f"{name}:{hashlib.sha256(seen.encode()).hexdigest()[:16]}",
    )  # fmt: skip
