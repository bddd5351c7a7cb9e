"""One page asked for over HTTP/1.1 and judged, over any connection; no redirect is followed, and little is read."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from zen_agents.errors import HostError
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

if TYPE_CHECKING:
    import ssl

#: No more of an answer is looked at (bytes).
MOST_BODY_BYTES = 65536
_MOST_HEAD_BYTES = 65536
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_LINE_END = re.compile(r"[\r\n\0]")


class BadAnswerError(Exception):
    """The other side does not answer as it should."""


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


def port_of(url: SplitResult) -> int:
    """Return the port that a URL means."""
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
            raise BadAnswerError("the answer is not HTTP/1.1")
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
        raise BadAnswerError("the answer has a line longer than 64 KiB") from error
    if len(line) > room:
        raise BadAnswerError("the answer's head is longer than 64 KiB")
    return line, room - len(line)


async def _read_body(reader: asyncio.StreamReader, headers: dict[bytes, bytes]) -> bytes:
    """Return up to the first 64 KiB of the body."""
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return await _read_chunks(reader)
    length = headers.get(b"content-length", b"")
    return await _read_up_to(reader, min(int(length), MOST_BODY_BYTES) if length.isdigit() else MOST_BODY_BYTES)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < MOST_BODY_BYTES:
        try:
            size = int((await _line(reader))[0].split(b";")[0].strip(), 16)
        except ValueError as error:
            raise BadAnswerError("a chunk of the answer has no length") from error
        if size <= 0:
            break
        body += await _read_up_to(reader, min(size, MOST_BODY_BYTES - len(body)))
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
