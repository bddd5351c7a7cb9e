"""What all sources of advisories have to do with: places, and that one may not be there. Asking is loaded when done."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from zen_agents.errors import HostError


class SourceUnavailableError(HostError):
    """A source of advisories could not be asked; what it would have said is unknown."""


class NotThereError(SourceUnavailableError):
    """It answers that there is no such thing."""


def is_address(location: str) -> bool:
    """Tell whether this is asked over HTTP; else it is a path."""
    return urlsplit(location).scheme in ("http", "https")


def answer_of(
    url: str, *, until: float, most_bytes: int, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """See `advisories_http.answer_of`."""
    from zen_agents.adapters.advisories_http import answer_of as ask  # noqa: PLC0415  25 ms, where not all is known already

    return ask(url, until=until, most_bytes=most_bytes, body=body, headers=headers)
