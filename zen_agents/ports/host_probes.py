"""What is asked over the network, and what came of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from zen_agents.dataclass import dataclass


class ProbeResult(NamedTuple):
    """What a network probe met."""

    ok: bool
    #: "" when ok, else one of: refused, timeout, reset, name_error, unreachable, tls, bad_status, bad_answer.
    error: str
    detail: str
    seconds: float
    #: HTTP status, 0 for none.
    http_status: int = 0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A GET with what counts as a good answer."""

    url: str
    expect_status: tuple[int, ...] = (200,)
    #: Text that the first 64 KiB of the body must contain; "" for none.
    contains: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    verify_tls: bool = True
    #: Path of a unix socket over which it is asked instead of over the network; "" for none.
    unix: str = ""


class ProbeView(Protocol):
    """Questions to a port and to a page; coroutines, since others may be slow to answer."""

    async def tcp(
        self, host: str, port: int, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b""
    ) -> ProbeResult:
        """Connect; with `send` or `contains`, say that and wait for an answer: any, or one that contains that."""
        ...

    async def http(self, request: HttpRequest, timeout_seconds: float) -> ProbeResult: ...
