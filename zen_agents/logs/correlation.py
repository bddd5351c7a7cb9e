"""By what lines of different sources and patterns belong together: an address, an account, a request, a host, a unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zen_agents.logs.keys import LONGEST_VALUE
from zen_agents.logs.memory import checked_rows
from zen_agents.model.observation import MOST_SHARED, SharedKey

#: What the formats, the security fields and common loggers call the same thing.
_KINDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("address", "client", "client_ip", "client_addr", "remote_addr", "remote_ip", "src_ip", "source_ip", "ip"), "address"
    ),
    **dict.fromkeys(("user", "username", "user_name", "user_id", "account", "login"), "user"),
    **dict.fromkeys(("request_id", "requestId", "x_request_id", "correlation_id", "correlationId"), "request"),
    **dict.fromkeys(("trace_id", "traceId", "trace"), "trace"),
    **dict.fromkeys(("host", "hostname"), "host"),
    **dict.fromkeys(("unit", "_SYSTEMD_UNIT"), "unit"),
}  # fmt: skip
#: What stands for nobody, or for this host itself.
_NOBODY: Final = frozenset({"", "-", "?", "none", "null", "unknown", "localhost", "127.0.0.1", "::1", "0", "0.0.0.0"})  # noqa: S104  # nosec B104  compared, never bound


def shared_keys(fields: Mapping[str, str], further: Sequence[str] = ()) -> Iterator[SharedKey]:
    """Yield by what a line belongs to others: what it says in fields of the usual names, and of these `further` ones."""
    for name, value in fields.items():
        kind = _KINDS.get(name) or (name if name in further else "")
        if kind:
            yield from _key(kind, value)


def keys_of_values(names: Sequence[str], values: Sequence[str]) -> Iterator[SharedKey]:
    """Yield by what the lines of one value of `by:` belong to others: there every field is meant to tell them apart."""
    for name, value in zip(names, values, strict=True):
        yield from _key(_KINDS.get(name, name), value)


def checked_keys(value: Any) -> tuple[SharedKey, ...]:
    """Return keys that were saved; what cannot be one is left out."""
    rows = checked_rows(value, width=2)[:MOST_SHARED]
    return tuple((kind, text) for kind, text in rows if isinstance(kind, str) and isinstance(text, str))


def _key(kind: str, value: str) -> Iterator[SharedKey]:
    # A value that had to be cut may be the beginning of many.
    if value.lower() not in _NOBODY and len(value) <= LONGEST_VALUE:
        yield kind, value
