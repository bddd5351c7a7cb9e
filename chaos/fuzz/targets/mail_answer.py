"""What a mail server answers: always an outcome, and a mail is only given up when the server said so for good."""

from __future__ import annotations

import re

from chaos.fuzz.given import Peer
from chaos.fuzz.promise import promise
from zen_agents.jobs.alert_delivery import DeliveryOutcome, EmailItem
from zen_agents.workers.email_channel import MailServer

SEEDS = (
    b"220 x\r\n250-x\r\n250 SIZE 100000\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n221 bye\r\n",
    b"220 x\r\n250-x\r\n250 AUTH CRAM-MD5 PLAIN LOGIN\r\n334 !!!\r\n535 no\r\n",
    b"220 x\r\n250-x\r\n250 AUTH CRAM-MD5\r\n334 a\r\n",
    b"220 x\r\n250 x\r\n250 ok\r\n550 no\r\n",
    b"421 busy\r\n",
    b"",
    b"abc\r\n",
    b"220 x\r\n250-x\r\n250 AUTH LOGIN\r\n334 \xff\r\n334 x\r\n235 ok\r\n250 ok\r\n451 later\r\n",
    b"220 " + b"x" * 9000 + b"\r\n",
    b"220 x\r\n502 no\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n554 spam\r\n",
    b"220 x\r\n250-STARTTLS\r\n250 AUTH=\xff\r\n",
)
WORDS = (
    b"220 ",
    b"250-",
    b"250 ",
    b"334 ",
    b"354 ",
    b"550 ",
    b"AUTH CRAM-MD5",
    b"AUTH PLAIN",
    b"STARTTLS",
    b"SIZE 1",
    b"\r\n",
)
_FOR_GOOD = re.compile(rb"5\d\d")
_peer: list[Peer] = []


def fuzz(data: bytes) -> None:
    """Send two mails to somebody who answers with one input, as somebody with a password."""
    if not _peer:
        _peer.append(Peer())
    _peer[0].says(data)
    server = MailServer()
    for _ in range(2):
        answer = server.send(_mail(_peer[0].port))
        promise(answer.outcome in DeliveryOutcome, "no outcome")
        given_up = answer.outcome is DeliveryOutcome.REJECT
        promise(not given_up or bool(_FOR_GOOD.search(data)), f"given up without a refusal: {answer.detail[:200]}")
    server.close()


def _mail(port: int) -> EmailItem:
    return EmailItem(
        ref="ref", host="localhost", port=port, encryption="never", sender_name="zen", sender="zen@example.com",
        recipients=("ops@example.com",), subject="s", text="t", html="<p>t</p>", message_id="m@x", sent_at=1e9,
        user="me", password="secret", timeout_seconds=5.0,
    )  # fmt: skip
