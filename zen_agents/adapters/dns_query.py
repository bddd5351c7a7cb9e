"""Asks one name server for the addresses of one name: by UDP, and by TCP if the answer does not fit.

The host's own resolver library would ask whichever server it likes, and wait in a thread; here it is told which one, and
nothing waits but a coroutine. The socket is connected, so that only that server is heard.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import time

from zen_agents.adapters.dns_message import IPV4, IPV6, BadMessageError, Reply, question, reply
from zen_agents.adapters.linux_probe import classify
from zen_agents.errors import HostError
from zen_agents.ports.host_network import NameAnswer

#: A packet may be lost: it is sent again after a third of the time, and once more after the next.
_TRIES = 3
_MOST_BYTES = 65535
#: (family, socket address) of a name server.
_Target = tuple[int, tuple[object, ...]]
_CODES = {2: "server_failure", 3: "no_such_name", 5: "server_refuses"}
_WORDS = {
    "server_failure": "the name server failed to find out",
    "no_such_name": "there is no such name, says the name server",
    "server_refuses": "the name server refuses to answer us",
}


async def ask_name(server: str, name: str, timeout_seconds: float, *, port: int = 53) -> NameAnswer:
    """Return what a name server says of a name; HostError for what is no address or no name, or a shortage of this host."""
    target = _target(server, port)
    questions = [question(name, kind, int.from_bytes(os.urandom(2), "big")) for kind in (IPV4, IPV6)]
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout_seconds):
            answer = await _ask(target, questions, timeout_seconds / _TRIES)
    except TimeoutError:
        answer = NameAnswer("timeout", f"no answer within {timeout_seconds:g} s")
    except BadMessageError as error:
        answer = NameAnswer("bad_answer", str(error))
    except BlockingIOError as error:
        raise HostError("this host has no local port left to ask from") from error
    except (OSError, EOFError) as error:
        answer = NameAnswer(classify(error), getattr(error, "strerror", "") or "the connection was closed")
    return answer._replace(seconds=time.monotonic() - began)


def _target(server: str, port: int) -> _Target:
    try:
        address = ipaddress.ip_address(server)
    except ValueError as error:
        raise HostError(f"{server!r} is not the address of a name server") from error
    if isinstance(address, ipaddress.IPv4Address):
        return socket.AF_INET, (server, port)
    scope = address.scope_id or "0"
    try:
        number = int(scope) if scope.isdigit() else socket.if_nametoindex(scope)
    except OSError as error:
        raise HostError(f"there is no interface {scope} through which to ask {server}") from error
    return socket.AF_INET6, (server.partition("%")[0], port, 0, number)


async def _ask(target: _Target, questions: list[bytes], again_after: float) -> NameAnswer:
    """Ask for the addresses of IPv4, and of IPv6 if there are none."""
    said = NameAnswer("no_address", "the name has no address")
    for asked in questions:
        answer = await _by_udp(target, asked, again_after)
        if answer.truncated:
            answer = await _by_tcp(target, asked)
        if answer.code:
            word = _CODES.get(answer.code, "bad_answer")
            return NameAnswer(word, _WORDS.get(word, f"the name server answers with error {answer.code}"))
        if answer.addresses:
            return NameAnswer("", ", ".join(answer.addresses), answer.addresses)
    return said


async def _by_udp(target: _Target, asked: bytes, again_after: float) -> Reply:
    family, address = target
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        sock.connect(address)
        while True:
            await loop.sock_sendall(sock, asked)
            try:
                async with asyncio.timeout(again_after):
                    return await _heard(sock, asked)
            except TimeoutError:
                continue  # lost on the way, it is asked again; whoever waits for the answer has a time of his own


async def _heard(sock: socket.socket, asked: bytes) -> Reply:
    """Return the first message that answers the question; what answers another one is not ours."""
    loop = asyncio.get_running_loop()
    while True:
        message = await loop.sock_recv(sock, _MOST_BYTES)
        # A late answer to an earlier packet, or somebody who guesses.
        if message[:2] == asked[:2]:
            return reply(message, asked)


async def _by_tcp(target: _Target, asked: bytes) -> Reply:
    family, address = target
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as sock:
        await loop.sock_connect(sock, address)
        await loop.sock_sendall(sock, len(asked).to_bytes(2, "big") + asked)
        length = int.from_bytes(await _exactly(sock, 2), "big")
        return reply(await _exactly(sock, length), asked)


async def _exactly(sock: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        piece = await asyncio.get_running_loop().sock_recv(sock, size - len(content))
        if not piece:
            raise ConnectionResetError(errno.ECONNRESET, "the connection was closed in the middle of the answer")
        content += piece
    return content
