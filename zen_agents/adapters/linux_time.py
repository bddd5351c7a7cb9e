"""SNTP (RFC 4330): one question, one answer, by UDP."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from collections.abc import Callable

from zen_agents.adapters.name_lookup import Resolver
from zen_agents.ports.time_answer import TimeAnswer

_PACKET = struct.Struct("!BBbbII4sQQQQ")
#: Version 4, mode client; an answer has mode server.
_QUESTION, _MODE, _SERVER = 0x23, 0x07, 4
#: The leap indicator of a server that does not know the time itself.
_ALARM = 3
#: From 1900, in which NTP begins, to 1970, and where a second of 32 bits is over in 2036.
_EPOCH, _ERA = 2_208_988_800, 2**32


class _Exchange(asyncio.DatagramProtocol):
    """Takes the first answer to its question; what does not belong to it is left out."""

    def __init__(self, cookie: int, now: Callable[[], float]) -> None:
        self.answer: asyncio.Future[tuple[bytes, float]] = asyncio.get_running_loop().create_future()
        self._cookie, self._now = cookie, now

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if not self.answer.done() and len(data) >= _PACKET.size and _PACKET.unpack_from(data)[8] == self._cookie:
            self.answer.set_result((data, self._now()))

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def server_time(
    server: str, timeout_seconds: float, resolver: Resolver, now: Callable[[], float] = time.time
) -> TimeAnswer:  # fmt: skip
    """Ask `HOST:PORT`; what goes wrong on the other side is told in the answer."""
    host, _, port = server.rpartition(":")
    try:
        async with asyncio.timeout(timeout_seconds):
            addresses = await resolver.addresses(host.strip("[]"), int(port))
            return await _asked(addresses[0], now)
    except TimeoutError:
        return TimeAnswer(False, "timeout")
    except socket.gaierror:
        return TimeAnswer(False, "name_error")
    except OSError:
        return TimeAnswer(False, "unreachable")


async def _asked(address: tuple[int, tuple[object, ...]], now: Callable[[], float]) -> TimeAnswer:
    # The server sends our moment back: a random one shows that the answer is to this question and nobody's guess.
    cookie = int.from_bytes(os.urandom(8), "big") | 1
    transport, exchange = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Exchange(cookie, now), remote_addr=address[1], family=address[0]  # type: ignore[arg-type]
    )  # fmt: skip
    try:
        sent = now()
        transport.sendto(_PACKET.pack(_QUESTION, 0, 0, 0, 0, 0, b"", 0, 0, 0, cookie))
        data, received = await exchange.answer
    finally:
        transport.close()
    return _compared(data, sent, received)


def _compared(data: bytes, sent: float, received: float) -> TimeAnswer:
    first, stratum, _, _, _, _, _, _, _, arrived, left = _PACKET.unpack_from(data)
    if first & _MODE != _SERVER or not left:
        return TimeAnswer(False, "bad_answer")
    if first >> 6 == _ALARM or not 0 < stratum < 16:
        return TimeAnswer(False, "unsynchronised")
    there, back = _seconds(arrived, sent) - sent, _seconds(left, received) - received
    delay = max(0.0, (received - sent) - (_seconds(left, received) - _seconds(arrived, received)))
    return TimeAnswer(True, "", -(there + back) / 2, delay)


def _seconds(moment: int, near: float) -> float:
    """Return a moment of NTP in seconds since 1970; of those that it may mean, the one near another."""
    seconds = moment / 2**32 - _EPOCH
    return seconds + round((near - seconds) / _ERA) * _ERA
