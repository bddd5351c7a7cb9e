"""What the probes tell of servers that behave, misbehave, or are not there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zen_agents.adapters import linux_probe
from zen_agents.adapters.http_page import check_request
from zen_agents.adapters.linux_probe import classify
from zen_agents.adapters.name_lookup import Resolver
from zen_agents.errors import HostError
from zen_agents.ports.host_probes import HttpRequest, ProbeResult

GENEROUS = 10.0


@contextmanager
def server(
    answer: bytes | None, *, tls: ssl.SSLContext | None = None, reset: bool = False, asked: list[bytes] | None = None
) -> Iterator[int]:
    """Serve one answer to every request, nothing at all for None, or a reset; give the port."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, tls.wrap_socket(connection, True) if tls else connection as talk:
            (asked if asked is not None else []).append(talk.recv(65536))
            if reset:
                talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            elif answer is None:
                over.wait(GENEROUS)
            else:
                talk.sendall(answer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                serve(listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


async def test_a_port_of_this_host_is_met_without_waiting_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", lambda *_: pytest.fail("it was waited for"))
    with server(b"") as port:
        assert (await linux_probe.tcp("127.0.0.1", port, GENEROUS, Resolver())).ok
    assert (await linux_probe.tcp("127.0.0.1", port, GENEROUS, Resolver())).error == "refused"


async def get(port: int, *, timeout_seconds: float = GENEROUS, scheme: str = "http", **wanted: object) -> ProbeResult:
    request = HttpRequest(f"{scheme}://127.0.0.1:{port}/health?x=1", **wanted)  # type: ignore[arg-type]
    return await linux_probe.http(request, timeout_seconds, Resolver())


# -- tcp ------------------------------------------------------------------------------------------------------------------


async def test_a_listener_is_met_by_number_and_by_name() -> None:
    with server(b"") as port:
        for host in ("127.0.0.1", "localhost"):
            met = await linux_probe.tcp(host, port, GENEROUS, Resolver())
            assert (met.ok, met.error) == (True, "")
            assert 0 < met.seconds < GENEROUS


@pytest.mark.parametrize(
    "says, send, contains, error",
    [
        (b"+PONG\r\n", b"PING\r\n", b"", ""),
        (b"220 mail ESMTP\r\n", b"EHLO\r\n", b"ESMTP", ""),
        (b"-ERR\r\n", b"PING\r\n", b"PONG", "bad_answer"),
        (b"", b"PING\r\n", b"", "reset"),
    ],
)
async def test_what_is_said_first_has_to_be_answered(says: bytes, send: bytes, contains: bytes, error: str) -> None:
    with server(says) as port:
        met = await linux_probe.tcp("127.0.0.1", port, GENEROUS, Resolver(), send=send, contains=contains)
    assert (met.ok, met.error) == (not error, error)


async def test_a_hung_service_accepts_and_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert (await linux_probe.tcp("127.0.0.1", port, GENEROUS, Resolver())).ok
        met = await linux_probe.tcp("127.0.0.1", port, 0.1, Resolver(), send=b"PING\r\n")
    assert (met.ok, met.error) == (False, "timeout")


async def test_nobody_there_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    met = await linux_probe.tcp("127.0.0.1", port, GENEROUS, Resolver())
    assert (met.ok, met.error) == (False, "refused")


async def test_a_listener_whose_queue_is_full_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            assert filler.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
        met = await linux_probe.tcp("127.0.0.1", listener.getsockname()[1], 0.2, Resolver())
        for filler in fillers:
            filler.close()
    assert (met.ok, met.error) == (False, "timeout")


async def test_a_name_that_nobody_knows_is_a_name_error() -> None:
    def unknown(*_: object, **__: object) -> list[tuple[object, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    met = await linux_probe.tcp("web.example", 80, GENEROUS, Resolver(unknown))
    assert (met.ok, met.error) == (False, "name_error")


@pytest.mark.parametrize("host", ["", "a" * 300, "a..b", "x\0y"])
async def test_what_is_no_name_is_a_name_error_or_nothing_listens(host: str) -> None:
    met = await linux_probe.tcp(host, 1, GENEROUS, Resolver())
    assert met.ok is False
    assert met.error in ("name_error", "refused")


async def test_a_second_address_answers_for_the_first() -> None:
    with server(b"") as port:

        def two(*_: object, **__: object) -> list[tuple[object, ...]]:
            dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))
            return [dead, (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        assert (await linux_probe.tcp("web.example", port, GENEROUS, Resolver(two))).ok


@pytest.mark.parametrize("port", [0, -1, 65536])
async def test_a_port_that_is_none_is_an_error(port: int) -> None:
    with pytest.raises(HostError):
        await linux_probe.tcp("127.0.0.1", port, GENEROUS, Resolver())


# -- names ----------------------------------------------------------------------------------------------------------------


async def test_hanging_name_servers_cost_a_few_threads_and_no_more() -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[tuple[object, ...]]:
        release.wait(GENEROUS)
        return []

    resolver = Resolver(hang)
    before = threading.active_count()
    probes = (linux_probe.tcp(f"host{number}.example", 80, 0.2, resolver) for number in range(50))
    met = await asyncio.gather(*probes)
    assert {(result.ok, result.error) for result in met} == {(False, "name_error")}, "nothing was learnt about any of them"
    assert "no answer of a name server within 0.2 s" in {result.detail for result in met}
    page = await linux_probe.http(HttpRequest("http://host0.example/"), 0.05, resolver)
    assert page.error == "name_error"
    assert threading.active_count() - before <= 8
    release.set()


async def test_two_probes_of_one_name_share_a_look_up() -> None:
    asked: list[str] = []
    release = threading.Event()

    def count(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        release.wait(GENEROUS)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    with server(b"") as port:
        resolver = Resolver(count)
        given_up = await linux_probe.tcp("web.example", port, 0.05, resolver)
        waiting = asyncio.ensure_future(linux_probe.tcp("web.example", port, GENEROUS, resolver))
        await asyncio.sleep(0)
        release.set()
        assert (await waiting).ok
    assert given_up.error == "name_error"
    assert asked == ["web.example"]


# -- http -----------------------------------------------------------------------------------------------------------------


async def test_a_good_page_is_ok() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello") as port:
        met = await get(port, contains="hello")
        assert (met.ok, met.error, met.http_status) == (True, "", 200)


async def test_text_is_found_across_chunks() -> None:
    page = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nhell\r\n3\r\no w\r\n0\r\n\r\n"
    with server(page) as port:
        assert (await get(port, contains="hello w")).ok
        assert (await get(port, contains="absent")).error == "bad_answer"


async def test_a_redirect_is_not_followed() -> None:
    with server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n") as port:
        met = await get(port)
        assert (met.error, met.http_status) == ("bad_status", 302)
        assert (await get(port, expect_status=(302,))).ok


async def test_what_comes_before_the_answer_is_skipped() -> None:
    with server(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n") as port:
        assert (await get(port)).ok


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"\0" * 100,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK" + b"x" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000,
    ],
)
async def test_what_is_not_http_is_a_bad_answer(answer: bytes) -> None:
    with server(answer) as port:
        met = await get(port)
        assert (met.ok, met.error) == (False, "bad_answer")


async def test_a_chunk_without_a_length_is_a_bad_answer() -> None:
    with server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n") as port:
        assert (await get(port, contains="x")).error == "bad_answer"


async def test_only_the_first_64_kib_of_a_page_are_read() -> None:
    with server(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000 + b"needle") as port:
        assert (await get(port, contains="needle")).error == "bad_answer"


async def test_a_closed_and_a_reset_connection_are_resets() -> None:
    with server(b"") as port:
        assert (await get(port)).error == "reset"
    with server(b"", reset=True) as port:
        assert (await get(port)).error == "reset"


async def test_a_server_that_never_answers_times_out() -> None:
    with server(None) as port:
        met = await get(port, timeout_seconds=0.2)
        assert (met.error, met.http_status) == ("timeout", 0)
        assert met.seconds >= 0.2


async def test_the_request_is_one_plain_get() -> None:
    asked: list[bytes] = []
    with server(b"HTTP/1.1 200 OK\r\n\r\n", asked=asked) as port:
        assert (await get(port, headers=(("host", "web.example"), ("X-Token", "a")))).ok
    lines = asked[0].decode().split("\r\n")
    assert lines[0] == "GET /health?x=1 HTTP/1.1"
    assert [line for line in lines if line.lower().startswith("host:")] == ["host: web.example"]
    assert "X-Token: a" in lines
    assert "Connection: close" in lines


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("ftp://x/"),
        HttpRequest("http:///x"),
        HttpRequest("http://x:99999/"),
        HttpRequest("http://x:0/"),
        HttpRequest("http://me:secret@x/"),
        HttpRequest("http://x/\r\nX-Injected: 1"),
        HttpRequest("http://x/a b"),
        HttpRequest("http://x/ä"),
        HttpRequest("http://x/", headers=(("X", "a\r\nY: b"),)),
        HttpRequest("http://x/", headers=(("X: y", "a"),)),
    ],
)
def test_a_request_that_could_smuggle_is_an_error(request_: HttpRequest) -> None:
    with pytest.raises(HostError):
        check_request(request_)


async def test_tls_is_verified_unless_told_otherwise(tmp_path: Path) -> None:
    context = _own_certificate(tmp_path)
    with server(b"HTTP/1.1 200 OK\r\n\r\n", tls=context) as port:
        assert (await get(port, scheme="https")).error == "tls"
        assert (await get(port, scheme="https", verify_tls=False)).ok


async def test_plain_text_on_a_tls_port_is_tls() -> None:
    with server(b"HTTP/1.1 200 OK\r\n\r\n") as port:
        assert (await get(port, scheme="https")).error == "tls"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EADDRNOTAVAIL])
def test_a_shortage_of_this_host_says_nothing_about_the_other(number: int) -> None:
    with pytest.raises(HostError):
        classify(OSError(number, "short"))


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.EHOSTUNREACH, "unreachable"), (errno.ENETUNREACH, "unreachable"), (errno.ETIMEDOUT, "timeout")],
)
def test_other_failures_have_their_word(number: int, word: str) -> None:
    assert classify(OSError(number, "x")) == word


def _own_certificate(tmp_path: Path) -> ssl.SSLContext:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        ("openssl", "req", *options.split(), "-keyout", str(key), "-out", str(certificate)),
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
