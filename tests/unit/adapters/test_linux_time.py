"""SNTP against a small server of our own: what counts as an answer, and what it says."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable

import pytest

from zen_agents.adapters.linux_time import server_time
from zen_agents.adapters.name_lookup import Resolver

NTP = 2_208_988_800
Answer = Callable[[bytes], bytes | None]


def stamp(seconds: float) -> bytes:
    return struct.pack("!Q", round((seconds + NTP) * 2**32) % 2**64)


def answer(question: bytes, *, behind: float = 0.0, first: int = 0x24, stratum: int = 2) -> bytes:
    now = time.time() - behind
    return bytes([first, stratum]) + bytes(22) + question[40:48] + stamp(now) + stamp(now)


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Answer], asyncio.Future[str]]]:
    transports: list[asyncio.BaseTransport] = []

    class Server(asyncio.DatagramProtocol):
        def __init__(self, reply: Answer) -> None:
            self.reply = reply

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: object) -> None:
            if (said := self.reply(data)) is not None:
                self.transport.sendto(said, addr)  # type: ignore[attr-defined]

    async def start(reply: Answer) -> str:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Server(reply), local_addr=("127.0.0.1", 0)
        )
        transports.append(transport)
        return f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"

    yield start  # type: ignore[misc]
    for transport in transports:
        transport.close()


@pytest.mark.parametrize("behind", [0.0, 600.0, -600.0])
async def test_an_answer_says_by_how_much_this_clock_is_ahead(serve: Callable[[Answer], str], behind: float) -> None:
    found = await server_time(await serve(lambda question: answer(question, behind=behind)), 5.0, Resolver())  # type: ignore[misc]
    assert found.ok
    assert found.ahead_seconds == pytest.approx(behind, abs=0.5)
    assert 0 <= found.delay_seconds < 5


async def test_after_2036_the_moments_of_ntp_mean_the_same(serve: Callable[[Answer], str]) -> None:
    then = 2_300_000_000.0
    where = await serve(lambda question: bytes([0x24, 1]) + bytes(22) + question[40:48] + stamp(then) + stamp(then))  # type: ignore[misc]
    found = await server_time(where, 5.0, Resolver(), now=lambda: then)
    assert found.ahead_seconds == pytest.approx(0.0, abs=0.001)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (lambda question: answer(question, first=0xE4), "unsynchronised"),
        (lambda question: answer(question, stratum=0), "unsynchronised"),
        (lambda question: answer(question, stratum=16), "unsynchronised"),
        (lambda question: answer(question, first=0x23), "bad_answer"),
        (lambda question: answer(question)[:40] + bytes(8), "bad_answer"),
        (lambda question: answer(bytes(48)), "timeout"),
        (lambda question: b"short", "timeout"),
        (lambda question: None, "timeout"),
    ],
)
async def test_what_is_no_answer_to_this_question_tells_nothing(
    serve: Callable[[Answer], str], reply: Answer, error: str
) -> None:  # fmt: skip
    found = await server_time(await serve(reply), 0.2, Resolver())  # type: ignore[misc]
    assert (found.ok, found.error) == (False, error)


async def test_nobody_there_and_no_such_name_are_told() -> None:
    assert (await server_time("127.0.0.1:9", 1.0, Resolver())).error in ("unreachable", "timeout")

    def unknown(*_: object, **__: object) -> list[tuple[object, ...]]:
        raise OSError

    assert (await server_time("no-such-host:123", 1.0, Resolver(unknown))).error in ("unreachable", "name_error")
