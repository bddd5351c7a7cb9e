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
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from zen_agents.errors import HostError
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

if TYPE_CHECKING:
    import ssl

_MOST_LOOKUPS = 8
#: So many numeric addresses are known by heart.
_MOST_NUMERIC = 1000
_MOST_HEAD_BYTES = 65536
_MOST_BODY_BYTES = 65536
#: Shortages of this host: nothing was learnt about the other side.
_OWN_SHORTAGE = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EADDRINUSE}
)
_UNREACHABLE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EACCES, errno.EPERM, errno.ENONET}
)
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_LINE_END = re.compile(r"[\r\n\0]")

#: (family, socket address) of one address of a host.
Address = tuple[int, tuple[object, ...]]


class Resolver:
    """Looks names up in daemon threads, at most a few at once, so that a hanging DNS server costs no more than those.

    Numeric addresses need no thread. Two probes of one name share a look-up. Used from one event loop.
    """

    def __init__(self, look_up: Callable[..., Sequence[tuple[object, ...]]] = socket.getaddrinfo) -> None:
        self._look_up = look_up
        self._running: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[Address]:
        """Return the addresses in the order to try them; socket.gaierror if there are none."""
        # A zone names an interface, whose number may be another one later.
        numeric = _numeric(host, port) if "%" not in host else _numeric.__wrapped__(host, port)
        if numeric:
            return numeric
        pending = self._running.get((host, port))
        if pending is None or pending.get_loop() is not asyncio.get_running_loop():
            pending = self._start(host, port)
        # Shielded: whoever gives up waiting leaves the look-up to the others who wait for it.
        return await asyncio.shield(pending)

    def is_asking(self, host: str, port: int) -> bool:
        """Tell whether a look-up of this name has not come back yet."""
        return (host, port) in self._running

    def _start(self, host: str, port: int) -> asyncio.Future[list[Address]]:
        if len(self._running) >= _MOST_LOOKUPS:
            raise socket.gaierror(socket.EAI_AGAIN, f"{_MOST_LOOKUPS} name look-ups are hanging already")
        loop = asyncio.get_running_loop()
        pending: asyncio.Future[list[Address]] = loop.create_future()
        self._running[host, port] = pending
        threading.Thread(target=self._ask, args=(loop, pending, host, port), name="name-lookup", daemon=True).start()
        return pending

    def _ask(self, loop: asyncio.AbstractEventLoop, pending: asyncio.Future[list[Address]], host: str, port: int) -> None:
        answer: list[Address] | Exception
        try:
            answer = _as_addresses(self._look_up(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer = error if isinstance(error, OSError) else socket.gaierror(socket.EAI_NONAME, "not a host name")
        try:
            loop.call_soon_threadsafe(self._tell, pending, host, port, answer)
        except RuntimeError:
            self._running.pop((host, port), None)  # The loop is closed: nobody waits any more.

    def _tell(self, pending: asyncio.Future[list[Address]], host: str, port: int, answer: list[Address] | Exception) -> None:
        if self._running.get((host, port)) is pending:
            del self._running[host, port]
        if isinstance(answer, list):
            pending.set_result(answer)
        else:
            pending.set_exception(answer)
            pending.exception()  # Marks it as seen, should everybody have given up waiting.


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
        if not more or len(said) > _MOST_BODY_BYTES:
            raise _BadAnswerError("the answer does not contain the expected text")


async def http(request: HttpRequest, timeout_seconds: float, resolver: Resolver) -> ProbeResult:
    """GET a page over HTTP/1.1, following no redirect, and judge status and text; HostError for a URL that is none."""
    url = check_request(request)
    asked = url.hostname or "", _port(url)
    return await timed(
        lambda: page(request, url, lambda: connect(*asked, resolver)), timeout_seconds, lambda: resolver.is_asking(*asked)
    )


def check_request(request: HttpRequest) -> SplitResult:
    """Return the parts of the URL; HostError if it is not plain http(s) or a header could smuggle in another."""
    try:
        url = urlsplit(request.url)
        port = url.port
    except ValueError as error:
        raise HostError(f"{request.url!r} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.hostname or _UNSAFE.search(request.url) or port == 0:
        raise HostError(f"{request.url!r} is not an http or https URL")
    if url.username is not None or not request.url.isascii():
        raise HostError("a probe's URL holds plain characters and no account; send credentials as a header")
    for name, value in request.headers:
        if not _HEADER_NAME.fullmatch(name) or _LINE_END.search(value):
            raise HostError(f"{name!r} is not a valid header")
    return url


class _BadAnswerError(Exception):
    """The other side does not speak HTTP as it should."""


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
    except _BadAnswerError as error:
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


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def page(request: HttpRequest, url: SplitResult, connected: Callable[[], Awaitable[socket.socket]]) -> ProbeResult:
    """Ask for a page over what `connected` returns, and judge it; raises what `timed` takes."""
    host = url.hostname or ""
    context = tls_context(request.verify_tls) if url.scheme == "https" else None
    sock = await connected()
    try:
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=context, server_hostname=host if context else None, limit=_MOST_HEAD_BYTES
        )
    except BaseException:
        sock.close()
        raise
    try:
        writer.write(_request_head(request, url))
        return await _judge(request, reader)
    finally:
        writer.transport.abort()


def _request_head(request: HttpRequest, url: SplitResult) -> bytes:
    given = {name.lower() for name, _ in request.headers}
    defaults = (("Host", url.netloc), ("User-Agent", "zen-agents"), ("Accept", "*/*"), ("Accept-Encoding", "identity"))
    headers = [*(pair for pair in defaults if pair[0].lower() not in given), *request.headers, ("Connection", "close")]
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("utf-8")


async def _judge(request: HttpRequest, reader: asyncio.StreamReader) -> ProbeResult:
    status, headers = await _read_head(reader)
    if status not in request.expect_status:
        expected = " or ".join(map(str, request.expect_status))
        return ProbeResult(False, "bad_status", f"status {status}, expected {expected}", 0.0, status)
    if request.contains:
        text = (await _read_body(reader, headers)).decode("utf-8", "replace")
        if request.contains not in text:
            return ProbeResult(False, "bad_answer", "the page does not contain the expected text", 0.0, status)
    return ProbeResult(True, "", f"status {status}", 0.0, status)


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[bytes, bytes]]:
    """Return the status and headers, past any 1xx that comes before them."""
    room = _MOST_HEAD_BYTES
    while True:
        status_line, room = await _line(reader, room)
        if not status_line:
            raise ConnectionResetError(errno.ECONNRESET, "the connection was closed without an answer")
        found = _STATUS_LINE.fullmatch(status_line)
        if found is None:
            raise _BadAnswerError("the answer is not HTTP/1.1")
        headers: dict[bytes, bytes] = {}
        while True:
            line, room = await _line(reader, room)
            if not line.strip():
                break
            name, _, value = line.partition(b":")
            headers[name.strip().lower()] = value.strip()
        if not found[1].startswith(b"1"):
            return int(found[1]), headers


async def _line(reader: asyncio.StreamReader, room: int = _MOST_HEAD_BYTES) -> tuple[bytes, int]:
    """Return the next line, and how much room is left after it."""
    try:
        line = await reader.readline()
    except ValueError as error:
        raise _BadAnswerError("the answer has a line longer than 64 KiB") from error
    if len(line) > room:
        raise _BadAnswerError("the answer's head is longer than 64 KiB")
    return line, room - len(line)


async def _read_body(reader: asyncio.StreamReader, headers: dict[bytes, bytes]) -> bytes:
    """Return up to the first 64 KiB of the body."""
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return await _read_chunks(reader)
    length = headers.get(b"content-length", b"")
    return await _read_up_to(reader, min(int(length), _MOST_BODY_BYTES) if length.isdigit() else _MOST_BODY_BYTES)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < _MOST_BODY_BYTES:
        try:
            size = int((await _line(reader))[0].split(b";")[0].strip(), 16)
        except ValueError as error:
            raise _BadAnswerError("a chunk of the answer has no length") from error
        if size <= 0:
            break
        body += await _read_up_to(reader, min(size, _MOST_BODY_BYTES - len(body)))
        await _line(reader)
    return body


async def _read_up_to(reader: asyncio.StreamReader, size: int) -> bytes:
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial


@lru_cache(maxsize=2)
def tls_context(verify: bool) -> ssl.SSLContext:
    """Return the TLS settings of probes, made once; importing ssl waits until a page is asked for over https."""
    import ssl  # noqa: PLC0415 - costs 4 MB that hosts without https probes need not pay

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=_MOST_NUMERIC)
def _numeric(host: str, port: int) -> Sequence[Address]:
    """Return the address that a number stands for, none for a name."""
    if not host.isascii():
        return ()
    try:
        # In bytes: for a text Python loads the tables of international names, 0.7 MB.
        number = host.encode("ascii")
        return tuple(_as_addresses(socket.getaddrinfo(number, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)))
    except socket.gaierror:
        return ()


def _as_addresses(found: Sequence[tuple[object, ...]]) -> list[Address]:
    pairs = ((row[0], row[4]) for row in found)
    return [(family, address) for family, address in pairs if isinstance(family, int) and isinstance(address, tuple)]
