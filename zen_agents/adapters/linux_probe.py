"""Network probes that tell what went wrong: connect to a port, ask for a page; unix sockets are in `linux_unix_socket`.

A failure of the other side is a `ProbeResult`; a shortage of this side (no descriptors, no local ports) is a HostError, for
it says nothing about the service. The time-out covers all, name look-up and TLS too; where the name servers are what does
not answer in time, that is a name error.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections.abc import Awaitable, Callable

from zen_agents.adapters.http_page import MOST_BODY_BYTES, BadAnswerError, check_request, page, port_of
from zen_agents.adapters.name_lookup import Resolver
from zen_agents.errors import HostError
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

#: Shortages of this host: nothing was learnt about the other side.
_OWN_SHORTAGE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EADDRINUSE}
)
_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EACCES, errno.EPERM, errno.ENONET}
)


async def tcp(
    host: str, port: int, timeout_seconds: float, resolver: Resolver, *, send: bytes = b"", contains: bytes = b""
) -> ProbeResult:
    """Connect to a port, wait for an answer if one is asked for, and hang up."""
    return await timed(
        lambda: asked(lambda: connect(host, port, resolver), send, contains),
        timeout_seconds,
        lambda: resolver.is_asking(host, port),
    )


async def asked(connected: Callable[[], Awaitable[socket.socket]], send: bytes, contains: bytes) -> ProbeResult:
    """Connect, wait for an answer if one is asked for, and hang up; raises what `timed` takes."""
    sock = await connected()
    try:
        if not (send or contains):
            return ProbeResult(True, "", "connected", 0.0)
        await _answered(sock, send, contains)
        return ProbeResult(True, "", "answered", 0.0)
    finally:
        sock.close()


async def _answered(sock: socket.socket, send: bytes, contains: bytes) -> None:
    """Return once the other side has said something that contains what it should; raises what `timed` takes."""
    loop, said = asyncio.get_running_loop(), b""
    await loop.sock_sendall(sock, send)
    while not said or contains not in said:
        more = await loop.sock_recv(sock, 4096)
        said += more
        if not said:
            raise ConnectionResetError(errno.ECONNRESET, "the connection was closed without an answer")
        if not more or len(said) > MOST_BODY_BYTES:
            raise BadAnswerError("the answer does not contain the expected text")


async def http(request: HttpRequest, timeout_seconds: float, resolver: Resolver) -> ProbeResult:
    """GET a page over HTTP/1.1, following no redirect, and judge status and text; HostError for a URL that is none."""
    url = check_request(request)
    asked = url.hostname or "", port_of(url)
    return await timed(
        lambda: page(request, url, lambda: connect(*asked, resolver)), timeout_seconds, lambda: resolver.is_asking(*asked)
    )


async def timed(
    ask: Callable[[], Awaitable[ProbeResult]], timeout_seconds: float, is_unresolved: Callable[[], bool]
) -> ProbeResult:
    """Return what `ask` met within a time, with how long it took; HostError where this host is short of something.

    If it waited for a name until then nothing was asked of the other side, so nothing is said of it.
    """
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout_seconds):
            result = await ask()
    except TimeoutError:
        word, who = ("name_error", " of a name server") if is_unresolved() else ("timeout", "")
        result = ProbeResult(False, word, f"no answer{who} within {timeout_seconds:g} s", 0.0)
    except BadAnswerError as error:
        result = ProbeResult(False, "bad_answer", str(error), 0.0)
    except (OSError, EOFError) as error:
        result = ProbeResult(False, classify(error), _sentence(error), 0.0)
    seconds = time.monotonic() - began
    return ProbeResult(result.ok, result.error, result.detail, seconds, result.http_status)


def classify(error: OSError | EOFError) -> str:
    """Return the word for a failed probe; HostError if the failure is this host's own shortage."""
    if isinstance(error, socket.gaierror):
        return "name_error"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError | EOFError):
        return "reset"
    if _is_tls(error):
        return "tls"
    if error.errno in _OWN_SHORTAGE:
        raise HostError(f"this host cannot probe now: {error.strerror}") from error
    if error.errno == errno.ETIMEDOUT:
        return "timeout"
    return "unreachable" if error.errno in _UNREACHABLE else "bad_answer"


def _is_tls(error: OSError) -> bool:
    # ssl is heavy and only here once a page was asked for over https; without it no error can be its.
    return any(cls.__module__ == "ssl" for cls in type(error).__mro__)


def _sentence(error: OSError | EOFError) -> str:
    if isinstance(error, asyncio.IncompleteReadError):
        return "the connection was closed in the middle of the answer"
    return getattr(error, "strerror", "") or str(error) or type(error).__name__


async def connect(host: str, port: int, resolver: Resolver) -> socket.socket:
    """Return a connected socket; of several addresses the first that answers. Raises OSError, HostError for no port."""
    if not 0 < port < 65536:
        raise HostError(f"{port} is not a TCP port")
    addresses = await resolver.addresses(host, port)
    if not addresses:
        raise socket.gaierror(socket.EAI_NONAME, "the name has no address")
    for family, address in addresses[:-1]:
        # A time-out is an OSError too. What counts in the end is what the last address answers.
        with contextlib.suppress(OSError):
            # Two seconds in all for addresses that swallow packets while another one may answer.
            async with asyncio.timeout(2.0 / len(addresses)):
                return await _connect_to(family, address)
    return await _connect_to(*addresses[-1])


async def _connect_to(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        error = sock.connect_ex(address)
        if error == errno.EINPROGRESS:
            # A port of this host has answered by now: then there is nothing to wait for.
            error = sock.connect_ex(address)
        if error == errno.EALREADY:
            await asyncio.get_running_loop().sock_connect(sock, address)
        elif error:
            raise OSError(error, os.strerror(error))
        # A local port that nobody listens on can be met by itself, when it is picked as the port to connect from.
        if sock.getsockname() == sock.getpeername():
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    except BaseException:
        sock.close()
        raise
    return sock
