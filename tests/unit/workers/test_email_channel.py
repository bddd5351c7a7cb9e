import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.telling import CONTEXT, a_message, mail_server, secret
from zen_agents.alerts.mail import render_email
from zen_agents.jobs.alert_delivery import Delivered, DeliveryOutcome, EmailItem
from zen_agents.workers.email_channel import MailServer, compose


def an_item(port: int, **changes: object) -> EmailItem:
    mail = render_email(a_message(), CONTEXT)
    item = EmailItem(
        ref="1",
        host="127.0.0.1",
        port=port,
        encryption="auto",
        sender_name="zen-agents on web-07",
        sender="zen-agents@web-07.example.com",
        recipients=("ops@example.com", "boss@example.com"),
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        message_id="zen.abc@web-07",
        sent_at=1_795_000_000.0,
        headers=mail.headers,
        timeout_seconds=5.0,
    )
    return replace(item, **changes)  # type: ignore[arg-type]


def send_one(item: EmailItem) -> Delivered:
    server = MailServer()
    try:
        return server.send(item)
    finally:
        server.close()


def test_a_mail_arrives_with_both_parts_all_headers_and_all_recipients() -> None:
    with mail_server() as box:
        server = MailServer()
        answer = server.send(an_item(box.port))
        server.close()

    assert answer.outcome is DeliveryOutcome.OK
    (mail,) = box.mails
    assert box.recipients == [["ops@example.com", "boss@example.com"]]
    assert mail["From"] == "zen-agents on web-07 <zen-agents@web-07.example.com>"
    assert mail["To"] == "ops@example.com, boss@example.com"
    assert mail["Message-ID"] == "<zen.abc@web-07>"
    assert mail["References"] == "<zen-root.inc-4k2p7m@web-07>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Zen-Severity"] == "critical"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text = next(mail.iter_parts()).get_content()
    assert text.splitlines() == an_item(1).text.splitlines()


@pytest.mark.parametrize(
    ("host", "greeting"),
    [("web-07.example.com", "web-07.example.com"), ("web-07", "[127.0.0.1]"), ("web_07.lan", "[127.0.0.1]")],
)
def test_nobody_is_asked_how_this_host_is_called(monkeypatch: pytest.MonkeyPatch, host: str, greeting: str) -> None:
    """When names lead nowhere people are to be told so, and not first after several time-outs."""

    def asked(*_: object) -> str:
        raise AssertionError("the name service is asked")

    # The server of the test names itself as well.
    with mail_server(server_hostname="mail.example.com") as box:
        for name in ("getfqdn", "gethostbyaddr", "gethostbyname"):
            monkeypatch.setattr(socket, name, asked)
        assert send_one(an_item(box.port, message_id=f"zen.abc@{host}")).outcome is DeliveryOutcome.OK
    assert box.greeted_as == [greeting]


def test_one_connection_carries_many_mails_without_a_pause() -> None:
    with mail_server() as box:
        server = MailServer()
        answers = [server.send(an_item(box.port, ref=str(number))) for number in range(5)]
        server.close()

    assert [answer.outcome for answer in answers] == [DeliveryOutcome.OK] * 5
    assert len(box.mails) == 5


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("451 try later", DeliveryOutcome.RETRY),
        ("452-disk\r\n452 full", DeliveryOutcome.RETRY),
        ("554 no", DeliveryOutcome.REJECT),
    ],
)
def test_temporary_and_final_refusals_are_told_apart(said: str, outcome: DeliveryOutcome) -> None:
    with mail_server() as box:
        box.answers = [said]
        server = MailServer()
        first, second = server.send(an_item(box.port)), server.send(an_item(box.port))
        server.close()

    assert first.outcome is outcome
    assert said[:3] in first.detail
    assert second.outcome is DeliveryOutcome.OK


def test_one_unknown_recipient_does_not_keep_the_mail_from_the_other() -> None:
    with mail_server() as box:
        box.unknown = {"boss@example.com"}
        answer = send_one(an_item(box.port))
        alone = send_one(an_item(box.port, recipients=("boss@example.com",)))

    assert answer.outcome is DeliveryOutcome.OK
    assert "boss@example.com: 550 no such user" in answer.detail
    assert box.recipients == [["ops@example.com"]]
    assert alone.outcome is DeliveryOutcome.REJECT


def test_starttls_always_sends_nothing_in_the_open_and_auto_does() -> None:
    with mail_server() as box:
        strict = send_one(an_item(box.port, encryption="always"))
        auto = send_one(an_item(box.port, encryption="auto"))

    assert strict.outcome is DeliveryOutcome.RETRY
    assert "STARTTLS" in strict.detail
    assert auto.outcome is DeliveryOutcome.OK
    assert len(box.mails) == 1


def test_a_password_never_crosses_the_net_in_the_open(tmp_path: Path) -> None:
    password = secret(tmp_path / "password", "word")
    with mail_server("127.0.0.2") as box:  # an address that is not this host's own by name
        answer = send_one(an_item(box.port, host="127.0.0.2", user="ops", password_file=password))

    assert answer.outcome is DeliveryOutcome.RETRY
    assert "a password is not sent in the open" in answer.detail
    assert box.mails == []


def test_a_password_file_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    path = Path(secret(tmp_path / "password", "word"))
    path.chmod(0o666)
    with mail_server() as box:
        answer = send_one(an_item(box.port, user="ops", password_file=str(path)))

    assert answer.outcome is DeliveryOutcome.RETRY
    assert "chmod 0600" in answer.detail
    assert "word" not in answer.detail.replace("password", "")


def test_a_server_that_is_not_there_is_asked_once_only() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = MailServer()
    first, second = server.send(an_item(port)), server.send(an_item(port, ref="2"))

    assert first.outcome is second.outcome is DeliveryOutcome.RETRY
    assert "refused" in first.detail
    assert second.ref == "2"


def test_a_server_that_hangs_costs_one_time_out() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        server = MailServer()
        item = an_item(silent.getsockname()[1], timeout_seconds=0.2)
        answers = [server.send(item) for _ in range(3)]

    assert {answer.outcome for answer in answers} == {DeliveryOutcome.RETRY}
    assert "timed out" in answers[0].detail


@pytest.mark.parametrize("address", ["no address", "a@example.com\r\nBcc: x@example.com", "", "@"])
def test_an_address_that_is_none_is_rejected_and_not_tried_again(address: str) -> None:
    with mail_server() as box:
        answer = send_one(an_item(box.port, recipients=(address,)))

    assert answer.outcome is DeliveryOutcome.REJECT
    assert box.mails == []


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_adds_a_header_or_a_recipient(subject: str, value: str) -> None:
    item = an_item(25, subject=subject, headers=(("X-Zen-Host", value),))
    try:
        raw = compose(item).as_bytes()
    except ValueError:
        return  # refused outright
    head = raw.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert names.count(b"to") == 1
    assert b"bcc" not in names
    assert set(names) <= {
        b"from", b"to", b"subject", b"date", b"message-id", b"x-zen-host", b"mime-version", b"content-type",
    }  # fmt: skip


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for, as local relays have."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_nobody_vouches_for_stops_always_and_passwords_but_not_auto(
    self_signed: ssl.SSLContext, tmp_path: Path
) -> None:
    password = secret(tmp_path / "password", "word")
    with mail_server(tls_context=self_signed, require_starttls=False) as box:
        auto = send_one(an_item(box.port))
        always = send_one(an_item(box.port, encryption="always"))
        with_password = send_one(an_item(box.port, user="ops", password_file=password))

    assert auto.outcome is DeliveryOutcome.OK
    assert always.outcome is with_password.outcome is DeliveryOutcome.RETRY
    assert "certificate verify failed" in always.detail.lower()
    assert len(box.mails) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_that_is_trusted_encrypts(
    self_signed: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with mail_server(tls_context=self_signed, require_starttls=True) as box:
        answer = send_one(an_item(box.port, encryption="always", host="localhost"))

    assert answer.outcome is DeliveryOutcome.OK


@contextlib.contextmanager
def saying(*lines: bytes) -> Iterator[int]:
    """A server that says these lines to whoever connects, in whatever order it is asked; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer, contextlib.suppress(OSError):
                    peer.sendall(b"".join(line + b"\r\n" for line in lines))
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "lines",
    [
        (b"220 x", b"250-x", b"250 AUTH CRAM-MD5", b"334 a"),
        (b"220 x", b"250-x", b"250 AUTH LOGIN", b"334 \xff", b"334 x"),
        (b"220 " + b"x" * 9000,),
        (b"220 x", b"250 x", b"250 ok", b"250 " + b"x" * 9000),
        (b"550 go away",),
    ],
    ids=["challenge", "login", "long banner", "long answer", "refused at the door"],
)
def test_an_answer_that_makes_no_sense_gives_no_mail_up(lines: tuple[bytes, ...]) -> None:
    with saying(*lines) as port:
        who = {"user": "me", "password": "secret"} if any(b"AUTH" in line for line in lines) else {}
        answer = send_one(an_item(port, host="localhost", encryption="never", recipients=("ops@example.com",), **who))

    assert answer.outcome is DeliveryOutcome.RETRY
