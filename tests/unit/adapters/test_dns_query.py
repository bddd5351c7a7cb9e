"""What name servers say that behave, misbehave, or are not there."""

from __future__ import annotations

import socket

import pytest

from tests.support.name_server import an_answer, name_server
from zen_agents.adapters.dns_message import IPV4, BadMessageError, question, reply
from zen_agents.adapters.dns_query import ask_name
from zen_agents.errors import HostError
from zen_agents.ports.host_network import NameAnswer

GENEROUS = 10.0
ONE, TWO = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
LAST6 = bytes(15) + b"\1"


async def ask(port: int, *, name: str = "db.internal", within: float = GENEROUS) -> NameAnswer:
    return await ask_name("127.0.0.1", name, within, port=port)


def kind_of(asked: bytes) -> int:
    return int.from_bytes(asked[-4:-2], "big")


async def test_the_addresses_of_a_name_come_with_how_long_it_took() -> None:
    with name_server(lambda asked, _: an_answer(asked, ONE, TWO, ONE)) as port:
        found = await ask(port)
    assert (found.error, found.addresses) == ("", ("192.0.2.1", "192.0.2.2"))
    assert 0 < found.seconds < GENEROUS


async def test_a_name_that_has_only_an_address_of_ipv6_has_an_address() -> None:
    with name_server(lambda asked, _: an_answer(asked, *[LAST6] * (kind_of(asked) == 28), kind=28)) as port:
        assert (await ask(port)).addresses == ("::1",)


async def test_a_name_without_any_address_says_so() -> None:
    with name_server(lambda asked, _: an_answer(asked)) as port:
        assert (await ask(port)).error == "no_address"


@pytest.mark.parametrize(
    ("code", "word"), [(3, "no_such_name"), (2, "server_failure"), (5, "server_refuses"), (1, "bad_answer")]
)
async def test_each_refusal_has_its_word(code: int, word: str) -> None:
    with name_server(lambda asked, _: an_answer(asked, code=code)) as port:
        assert (await ask(port)).error == word


async def test_what_does_not_fit_into_a_packet_is_asked_again_by_tcp() -> None:
    def answering(asked: bytes, by_tcp: bool) -> bytes:
        return an_answer(asked, ONE) if by_tcp else an_answer(asked, flags=0x8380)

    with name_server(answering) as port:
        assert (await ask(port)).addresses == ("192.0.2.1",)


async def test_a_packet_that_is_lost_is_sent_again() -> None:
    packets: list[bytes] = []

    def answering(asked: bytes, _: bool) -> bytes | None:
        packets.append(asked)
        return an_answer(asked, ONE) if len(packets) > 1 else None

    with name_server(answering) as port:
        assert not (await ask(port, within=3.0)).error
    assert packets[0] == packets[1]


async def test_silence_is_a_time_out_and_nobody_there_is_refused() -> None:
    with name_server(lambda asked, by_tcp: None) as port:
        assert (await ask(port, within=0.2)).error == "timeout"
    assert (await ask(port)).error == "refused"


async def test_an_answer_to_another_question_is_not_heard() -> None:
    def answering(asked: bytes, _: bool) -> bytes:
        return bytes([asked[0] ^ 1]) + an_answer(asked, ONE)[1:]

    with name_server(answering) as port:
        assert (await ask(port, within=0.2)).error == "timeout"


async def test_an_answer_about_another_name_and_nonsense_are_bad_answers() -> None:
    other = question("elsewhere.internal", IPV4, 0)
    for said in (lambda asked: asked[:2] + an_answer(other, ONE)[2:], lambda asked: asked[:2] + b"x", lambda asked: asked):
        with name_server(lambda asked, _, said=said: said(asked)) as port:
            assert (await ask(port)).error == "bad_answer"


async def test_a_server_that_hangs_up_in_the_middle_has_reset() -> None:
    with name_server(lambda asked, by_tcp: None if by_tcp else an_answer(asked, flags=0x8380)) as port:
        assert (await ask(port)).error == "reset"


@pytest.mark.parametrize("name", ["", ".", "a..b", "-a", "a b", "a/b", "x" * 64, ".".join(["x" * 60] * 5), "a\0b", "\ud800"])
def test_what_is_no_name_is_never_asked_for(name: str) -> None:
    with pytest.raises(HostError, match="not a host name"):
        question(name, IPV4, 1)


@pytest.mark.parametrize("server", ["", "localhost", "127.0.0.1:53", "999.0.0.1", "fe80::1%nowhere"])
async def test_what_is_no_address_is_never_asked(server: str) -> None:
    with pytest.raises(HostError):
        await ask_name(server, "db.internal", 1.0)


async def test_a_name_server_of_ipv6_is_asked_too() -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as closed:
            closed.bind(("::1", 0))
            port = closed.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert (await ask_name("::1", "db.internal", 1.0, port=port)).error == "refused"


@pytest.mark.parametrize("name", [b"\xc0", b"\1" * 400, b"\x40a", b"\5ab"])
def test_a_name_without_end_or_of_an_unknown_kind_is_a_bad_answer(name: bytes) -> None:
    asked = question("db.internal", IPV4, 7)
    with pytest.raises(BadMessageError):
        reply(an_answer(asked)[:6] + b"\0\1" + an_answer(asked)[8:] + name, asked)


def test_where_a_name_points_to_is_not_followed() -> None:
    asked = question("db.internal", IPV4, 7)
    itself = an_answer(asked, ONE).replace(b"\xc0\x0c", bytes([0xC0, len(asked)]))
    assert reply(itself, asked).addresses == ("192.0.2.1",)
