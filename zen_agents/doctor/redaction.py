"""Secrets are left out of what is handed to others: those that are known by their value, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from zen_agents.model import redaction as configured
from zen_agents.model.redaction import MARK

#: A known secret shorter than this is left alone: it would be found in every other word.
_SHORTEST = 4
#: A part of a secret address of this length is no ordinary word.
_LONG = 8
_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|(?<![a-z])pass|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|routing[_-]?key"
    r"|integration[_-]?key|auth[_-]?key|credentials?|authorization|cookie|dsn|session[_-]?id)"
)
#: How a name ends that holds a secret; the name of its file does not.
_NAME = rf"{_NAMES}(?:[_-](?!file\b|files\b|path\b)[\w-]+)?"
_IS_SECRET = re.compile(rf".*{_NAME}", re.IGNORECASE)
_FLAG = re.compile(rf"--?.*{_NAME}", re.IGNORECASE)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'"
_PATTERNS = (
    (re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(?:-----END [^-]*PRIVATE KEY-----|\Z)", re.DOTALL), MARK),
    # A user and a password in an address.
    (re.compile(r"([a-z][a-z0-9+.-]{0,20}://)[^/\s\"'@]+@", re.IGNORECASE), rf"\1{MARK}@"),
    # The address is the secret.
    (re.compile(r"(https?://(?:hooks\.slack\.com|discord(?:app)?\.com/api/webhooks|hc-ping\.com"
                r"|[\w.-]*\.webhook\.office\.com)/)[^\s\"']+", re.IGNORECASE), rf"\1{MARK}"),
    (re.compile(r"(authorization['\"]?\s*[=:]\s*['\"]?)(?:[\w-]+\s+)?[^\s\"',;]+", re.IGNORECASE), rf"\1{MARK}"),
    (re.compile(r"\b(Bearer\s+)[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1{MARK}"),
    (re.compile(rf"((?:{_NAME})['\"]?\s*[=:]\s*)(?!\[redacted\])(?:{_QUOTED}|[^\s\"',;&}}\]]+)", re.IGNORECASE),
     rf"\1{MARK}"),
    (re.compile(rf"(--?[\w-]{{0,40}}(?:{_NAME})\s+)(?!\[redacted\])(?:{_QUOTED}|[^\s\"',;&-][^\s\"',;&]*)", re.IGNORECASE),
     rf"\1{MARK}"),
    (re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{8,}"
                r"|sk[-_](?:live[-_])?[A-Za-z0-9]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"), MARK),
)  # fmt: skip


def _in_address(secret: str) -> list[str]:
    """Return what is secret in an address: its password, as written and as meant, and what is long in its path."""
    scheme, sign, rest = secret.partition("://")
    if not sign or not scheme.isalnum():
        return []
    account, _, place = rest.rpartition("@")
    password = account.partition(":")[2]
    return [password, unquote(password), *(part for part in re.split(r"[/?&=#]", place)[1:] if len(part) >= _LONG)]


class Redaction:
    """Takes secrets out of text and of plain JSON values."""

    def __init__(self, known: Iterable[str] = (), patterns: Sequence[str] = ()) -> None:
        """`known` are secrets by their value, wherever they stand, alone or in a line of several.

        `patterns` are what the configuration has left out everywhere (`redact:`).
        """
        self._configured = configured.Redaction(patterns)
        lines = {line.strip() for secret in known for line in (secret, *secret.splitlines(), *_in_address(secret))}
        # The longest first: one may be a part of another.
        self._known = sorted((line for line in lines if len(line) >= _SHORTEST), key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return text of any number of lines without secrets."""
        for secret in self._known:
            text = text.replace(secret, MARK)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return self._configured.text(text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a plain JSON value without secrets; what stands under the name of a secret goes whole."""
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(below, str(key)) for key, below in value.items()}
        if isinstance(value, list | tuple):
            return self._list(value)
        if isinstance(value, str):
            return MARK if value and _IS_SECRET.fullmatch(name) else self.text(value)
        return value

    def _list(self, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        """Return a list without secrets; in arguments of a command a flag says what the next one is."""
        clean: list[Any] = []
        secret_follows = False
        for item in items:
            clean.append(MARK if secret_follows and isinstance(item, str) else self.value(item))
            secret_follows = isinstance(item, str) and bool(_FLAG.fullmatch(item))
        return clean
