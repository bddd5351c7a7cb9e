"""What the probes of unix sockets tell of who answers, hangs, is not there, or must not be asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zen_agents.adapters.linux_unix_socket import http, unix_socket
from zen_agents.errors import HostError
from zen_agents.ports.host_probes import HttpRequest

GENEROUS = 10.0
PING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "daemon.sock")


@contextmanager
def listening(path: str, backlog: int = 5) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(backlog)
        yield listener


@contextmanager
def daemon(path: str, answer: bytes) -> Iterator[list[bytes]]:
    """Give one answer to everybody; what was asked is in the list."""
    asked: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                talk = listener.accept()[0]
                with talk:
                    asked.append(talk.recv(4096))
                    talk.sendall(answer)

    with listening(path) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


async def test_who_listens_is_connected_to(path: str) -> None:
    with listening(path):
        met = await unix_socket(path, GENEROUS)
    assert (met.ok, met.error, met.detail) == (True, "", "connected")


@pytest.mark.parametrize("contains, error", [(b"PONG", ""), (b"200", "bad_answer")])
async def test_what_is_said_first_has_to_be_answered(path: str, contains: bytes, error: str) -> None:
    with daemon(path, b"+PONG\r\n") as asked:
        met = await unix_socket(path, GENEROUS, send=b"PING\r\n", contains=contains)
    assert (met.ok, met.error, asked) == (not error, error, [b"PING\r\n"])


async def test_who_hangs_accepts_and_answers_neither_a_question_nor_a_page(path: str) -> None:
    with listening(path):
        said = await unix_socket(path, 0.1, send=b"PING\r\n")
        page = await http(HttpRequest("http://localhost/_ping", unix=path), 0.1)
    assert (said.error, page.error) == ("timeout", "timeout")


async def test_a_queue_that_is_full_is_waited_for_and_then_a_time_out(path: str) -> None:
    with listening(path, backlog=0) as listener, socket.socket(socket.AF_UNIX) as filler:
        filler.connect(path)
        full = await unix_socket(path, 0.2)
        listener.accept()[0].close()
        free = await unix_socket(path, GENEROUS)
    assert (full.error, free.error) == ("timeout", "")


@pytest.mark.parametrize("left", [False, True])
async def test_where_nobody_listens_it_is_refused(path: str, left: bool) -> None:
    if left:
        with listening(path):
            pass
    met = await unix_socket(path, GENEROUS)
    assert (met.ok, met.error) == (False, "refused")


@pytest.mark.parametrize("status, expect, error", [(200, 200, ""), (500, 200, "bad_status"), (204, 204, "")])
async def test_a_page_is_asked_for_there_and_judged(path: str, status: int, expect: int, error: str) -> None:
    with daemon(path, PING.replace(b"200", str(status).encode())) as asked:
        met = await http(HttpRequest("http://docker/_ping?x=1", (expect,), contains="OK", unix=path), GENEROUS)
    assert (met.error, met.http_status) == (error, status)
    assert asked[0].startswith(b"GET /_ping?x=1 HTTP/1.1\r\nHost: docker\r\n")


async def test_a_socket_that_is_no_stream_says_nothing_of_anybody(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(path)
        with pytest.raises(HostError, match="no stream socket"):
            await unix_socket(path, GENEROUS)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody who may not connect")
def test_a_socket_that_the_engine_may_not_open_says_nothing_of_who_listens(path: str) -> None:
    with listening(path):
        Path(path).chmod(0o600)
        os.seteuid(65534)
        try:
            with pytest.raises(HostError, match="may not connect"):
                asyncio.run(unix_socket(path, GENEROUS))
        finally:
            os.seteuid(0)


async def test_a_page_with_tls_is_not_asked_for_at_a_unix_socket(path: str) -> None:
    with pytest.raises(HostError, match="without TLS"):
        await http(HttpRequest("https://localhost/", unix=path), GENEROUS)
