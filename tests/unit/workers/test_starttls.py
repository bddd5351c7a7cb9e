"""What is said before TLS, to a server that answers by a script, and to a real PostgreSQL."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from tests.support.authority import Authority, Issued, needs_openssl
from tests.support.postgres_here import needs_postgres, postgres_here
from zen_agents.agents.system_health.areas.certificate_settings import WatchedCertificate
from zen_agents.jobs.certificate_look import LookRequest
from zen_agents.model.certificate import CertificateQuestion, Seen
from zen_agents.workers.certificate_look import look
from zen_agents.workers.starttls import PROTOCOLS

LDAP_YES = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
LDAP_NO = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"
POSTGRES_ASKS = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
#: What a server says at the beginning, and then: what it has to be told, and what it says to that.
Talk = tuple[bytes, Sequence[tuple[bytes, bytes]]]
TALKS: dict[str, Talk] = {
    "smtp": (
        b"220-mail\r\n220 ESMTP\r\n",
        [(b"EHLO localhost\r\n", b"250-mail\r\n250-SIZE\r\n250 STARTTLS\r\n"), (b"STARTTLS\r\n", b"220 go on\r\n")],
    ),
    "imap": (b"* OK ready\r\n", [(b"a STARTTLS\r\n", b"* a word\r\na OK begin\r\n")]),
    "pop3": (b"+OK ready\r\n", [(b"STLS\r\n", b"+OK begin\r\n")]),
    "ftp": (b"220 ready\r\n", [(b"AUTH TLS\r\n", b"234 begin\r\n")]),
    "ldap": (b"", [(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", LDAP_YES)]),
    "postgres": (b"", [(POSTGRES_ASKS, b"S")]),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def fresh(authority: Authority) -> Issued:
    return authority.issue("fresh", days=90)


@contextlib.contextmanager
def talking(talk: Talk, issued: Issued | None) -> Iterator[str]:
    """Answer one connection after the other by the script, then by TLS; without a certificate hang up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if issued is not None:
        context.load_cert_chain(issued.file, issued.key)
    listening = socket.create_server(("127.0.0.1", 0))

    def one(peer: socket.socket) -> None:
        greeting, exchanges = talk
        peer.sendall(greeting)
        for told, said in exchanges:
            if peer.recv(len(told), socket.MSG_WAITALL) != told:
                return
            peer.sendall(said)
        if issued is not None:
            with context.wrap_socket(peer, server_side=True) as connection:
                connection.recv(1)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer = listening.accept()[0]
                peer.settimeout(10)
                with contextlib.suppress(OSError), peer:
                    one(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        listening.close()


def shown(asked: CertificateQuestion, within_seconds: float = 5.0) -> Seen:
    found = look(LookRequest(asked, within_seconds)).server
    assert found is not None
    return found


def test_every_protocol_that_can_be_written_is_spoken_and_has_its_script_here() -> None:
    for protocol in PROTOCOLS:
        watched = WatchedCertificate.model_validate({"server": "mail.example:25", "starttls": protocol})
        assert watched.asked.starttls == protocol
    assert set(PROTOCOLS) == set(TALKS)
    with pytest.raises(ValueError, match="needs `server`"):
        WatchedCertificate.model_validate({"file": "/srv/web.pem", "starttls": "smtp"})


@needs_openssl
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_server_shows_after_its_yes_is_judged_as_anywhere(protocol: str, authority: Authority, fresh: Issued) -> None:
    with talking(TALKS[protocol], fresh) as server:
        asked = CertificateQuestion(server=server, name="localhost", authority=str(authority.root), starttls=protocol)
        seen = shown(asked)
        assert (seen.fault, seen.untold) == ("", "")
        assert seen.certificate is not None
        assert seen.certificate.authority == "Test Authority"
        assert shown(replace(asked, name="example.org")).fault == "it is not for the name example.org"


HELLO = (b"EHLO localhost\r\n", b"250 a\r\n")


@pytest.mark.parametrize(
    ("protocol", "talk", "says"),
    [
        ("smtp", (b"220 a\r\n", [HELLO, (b"STARTTLS\r\n", b"454 no TLS\r\n")]), "454 no TLS"),
        ("smtp", (b"220 a\r\n", [HELLO, (b"STARTTLS\r\n", b"220 go\r\n250 x\r\n")]), "between"),
        ("smtp", (b"220-a\r\n" * 2000, []), "without end"),
        ("imap", (b"* BYE\x1b[2J\r\n", []), "it says * BYE [2J"),
        ("pop3", (b"", []), "hangs up"),
        ("ldap", (b"", [(b"\x30\x1d", LDAP_NO)]), "resultCode 52"),
        ("ldap", (b"", [(b"\x30\x1d", b"HTTP/1.0 400 \r\n")]), "not that of LDAP"),
        ("postgres", (b"", [(POSTGRES_ASKS, b"N")]), "it has no TLS"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_is_unknown_with_what_it_said(protocol: str, talk: Talk, says: str) -> None:
    with talking(talk, None) as server:
        seen = shown(CertificateQuestion(server=server, starttls=protocol))
    assert (seen.certificate, seen.fault) == (None, "")
    assert says in seen.untold


def test_one_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = f"127.0.0.1:{listening.getsockname()[1]}"
        assert "timed out" in shown(CertificateQuestion(server=server, starttls="imap"), 0.1).untold


@needs_openssl
@needs_postgres
def test_a_real_postgresql_shows_its_certificate(authority: Authority, fresh: Issued) -> None:
    with postgres_here(certificate=fresh.file, key=fresh.key) as server:
        asked = CertificateQuestion(
            server=server.address, name="localhost", authority=str(authority.root), starttls="postgres"
        )
        seen = shown(asked)
    assert (seen.fault, seen.untold) == ("", "")
    assert seen.certificate is not None
