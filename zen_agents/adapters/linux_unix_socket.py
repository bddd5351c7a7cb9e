"""Probes of unix sockets: connect to one, ask it for a page.

Whoever listens there and hangs goes on accepting until its queue is full; from then on nobody gets in, and the probe waits
like any other client. A socket that this engine may not open is a HostError: nothing was learnt about who listens.
"""

from __future__ import annotations

import asyncio
import errno
import socket

from zen_agents.adapters.http_page import check_request, page
from zen_agents.adapters.linux_probe import asked, timed
from zen_agents.errors import HostError
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

#: How often it is looked whether a full queue has room again (seconds).
_QUEUE_POLL_SECONDS = 0.05


async def unix_socket(path: str, timeout_seconds: float, *, send: bytes = b"", contains: bytes = b"") -> ProbeResult:
    """Connect, wait for an answer if one is asked for, and hang up."""
    return await timed(lambda: asked(lambda: _connect(path), send, contains), timeout_seconds, _no_name_is_asked)


async def http(request: HttpRequest, timeout_seconds: float) -> ProbeResult:
    """GET a page over `request.unix`; HostError for a URL that is none, or one with TLS."""
    url = check_request(request)
    if url.scheme != "http":
        raise HostError(f"a unix socket is asked for a page without TLS, not for {request.url!r}")
    return await timed(lambda: page(request, url, lambda: _connect(request.unix)), timeout_seconds, _no_name_is_asked)


def _no_name_is_asked() -> bool:
    return False


async def _connect(path: str) -> socket.socket:
    """Return a connected socket, once there is room in the queue; raises OSError, HostError where this engine may not."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        # Not the loop's own sock_connect: it takes a full queue for a connection that is being made, and so for made.
        while not _is_connected(sock, path):  # noqa: ASYNC110 - the kernel tells nobody when there is room
            await asyncio.sleep(_QUEUE_POLL_SECONDS)
    except BaseException:
        sock.close()
        raise
    return sock


def _is_connected(sock: socket.socket, path: str) -> bool:
    """Connect at once or not at all; False while the queue is full."""
    try:
        sock.connect(path)
    except BlockingIOError:
        return False
    except FileNotFoundError as error:
        raise ConnectionRefusedError(errno.ECONNREFUSED, f"{path} does not exist") from error
    except PermissionError as error:
        raise HostError(f"this engine may not connect to {path}: {error.strerror}") from error
    except OSError as error:
        if error.errno == errno.EPROTOTYPE:
            raise HostError(f"{path} is no stream socket") from error
        raise
    return True
