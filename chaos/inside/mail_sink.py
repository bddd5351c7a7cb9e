"""Takes all mail on a port and appends each as one line of JSON: `mail_sink.py PORT FILE`.

While there is a FILE.refuse it refuses all mail for now, and adds a line to FILE.refused for each.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

#: Else it asks the name service who it is, for every mail; that is down in some scenarios.
_NAME = "mail.example.com"


class Sink:
    """Writes down what is told."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._refuse, self._refused = (file.with_name(f"{file.name}.{end}") for end in ("refuse", "refused"))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd
        """Take one mail, or refuse it."""
        assert isinstance(envelope.content, bytes)  # noqa: S101 - no decode_data is asked for
        mail = _read(envelope.content)
        if self._refuse.exists():
            with self._refused.open("a", encoding="utf-8") as out:
                out.write(f"{time.time()}\n")
            return "451 try again later"
        line = {
            "at": time.time(), "to": envelope.rcpt_tos, "subject": str(mail["Subject"]),
            "thread": str(mail["In-Reply-To"] or ""), "ends": mail["X-Zen-State"] == "resolved", "asks": _asks(mail),
        }  # fmt: skip
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
        return "250 OK"


def _get_ready() -> None:
    """Read a mail for nothing: the first one takes milliseconds more than each later one, which would be a contender's."""
    mail = EmailMessage()
    mail["Subject"] = "nothing"
    mail.set_content("nothing", cte="quoted-printable")
    mail.add_alternative("nothing", subtype="html", cte="quoted-printable")
    read = _read(mail.as_bytes())
    str(read["Subject"])
    _asks(read)


def _read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def _asks(mail: EmailMessage) -> str:
    """Return the id of the question that a mail says how to agree to, "" if it asks nothing."""
    body = mail.get_body(("plain",))
    command = re.search(r"zen-agents approve (\S+)", str(body.get_content())) if body else None
    return command[1] if command else ""


def main(port: int, file: Path) -> None:
    """Take mail until TERM."""
    _get_ready()
    file.touch()
    controller = Controller(Sink(file), hostname="127.0.0.1", port=port, server_hostname=_NAME)
    controller.start()
    signal.sigwait({signal.SIGTERM})


main(int(sys.argv[1]), Path(sys.argv[2]))
