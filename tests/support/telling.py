"""Messages, and real servers that stand for a mail server and for PagerDuty."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.policy import AlertPolicy, EmailPolicy, Encryption, PagerDutyPolicy, Smtp
from zen_agents.clock import Instant
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity

NIGHT = Instant(datetime(2026, 11, 21, 2, 13, 34, tzinfo=UTC), 10_000.0)

CONTEXT = AlertContext(
    host_name="web-07",
    version="1.0.0",
    config_digest="7c1e9a",
    timezone="Europe/Berlin",
    labels={"env": "prod", "role": "web"},
    public_url="https://zen.example.com",
)

FACTS: dict[str, Any] = {
    "state": "connection refused, 3 of 3 checks",
    "since": "2026-11-21T02:11:32+00:00",
    "did": ["2026-11-21T02:12:33+00:00 restart_service service:nginx -> FAILED act-7m3x exit 1"],
    "why": "nginx answers on port 80",
    "next": "03:22:33 restart 2 of 4. After the fourth failure the engine stops trying.",
    "related": ["02:00:11 /etc/ssl/web.pem changed by certbot"],
    "runbook": "https://wiki.example.com/rb/nginx",
    "origin": "config.yaml:25:7",
    "undo": ["act-1k0q"],
    "host": "web-07 prod/web load 0.4",
    "log": ["03:12:33 nginx[8812]: [emerg] cannot load certificate"],
    "log_source": "journalctl -u nginx",
    "mode": "enforce, 1 of 5 repairs used this hour",
}


def a_message(
    id: str = "alr-aaaaaa",
    *,
    kind: MessageKind = MessageKind.FIRING,
    severity: Severity = Severity.CRITICAL,
    at: Instant = NIGHT,
    name: str = "nginx",
    incident: str | None = "inc-4k2p7m",
    facts: Mapping[str, Any] = FACTS,
    urgent: bool = False,
    rule: str = "",
    summary: str = "",
) -> Message:
    """Return a message about a service."""
    rule = rule or f"system_health.{name}"
    end = f" ({incident})" if incident else ""
    return Message(
        id=id,
        kind=kind,
        severity=severity,
        at=at,
        dedup_key=f"web-07/{rule}|service:{name}",
        summary=summary or f"web-07: {name} bad for 2 min, 1 repair tried{end}",
        facts=facts,
        incident=incident,
        agent="system_health",
        rule=rule,
        target=f"service:{name}",
        urgent=urgent,
    )


@dataclass
class MailBox:
    """What a real SMTP server took, and what it answers next."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    #: How whoever sent each called itself.
    greeted_as: list[str] = field(default_factory=list)
    #: Answers to the coming mails, instead of `250 OK`.
    answers: list[str] = field(default_factory=list)
    #: Addresses that are not known here.
    unknown: set[str] = field(default_factory=set)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if address in self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
            self.recipients.append(list(envelope.rcpt_tos))
            self.greeted_as.append(str(session.host_name))
        return answer


class _AnyPort(Controller):
    """A controller whose server takes a free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()


@contextmanager
def mail_server(host: str = "127.0.0.1", *, port: int = 0, **options: Any) -> Iterator[MailBox]:
    """Run an SMTP server on this host, on a free port unless one is named."""
    box = MailBox()
    controller = _AnyPort(box, hostname=host, port=port, **options)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Events:
    """What a real HTTP server took, and what it answers next."""

    url: str = ""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: Statuses of the coming answers; 202 when there are none left.
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    #: Headers of the requests.
    asked_with: list[Mapping[str, str]] = field(default_factory=list)
    #: Held back until set: a server that hangs.
    released: threading.Event = field(default_factory=threading.Event)

    #: Set once something was asked.
    arrived: threading.Event = field(default_factory=threading.Event)

    def bodies(self, path: str = "/v2/enqueue") -> list[dict[str, Any]]:
        return [body for where, body in self.requests if where == path]

    def actions(self) -> list[str]:
        return [body["event_action"] for body in self.bodies()]


@contextmanager
def event_server(*, hangs: bool = False) -> Iterator[Events]:
    """Run an HTTP server on a free port of this host."""
    events = Events()
    if not hangs:
        events.released.set()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            events.requests.append((self.path, json.loads(body or b"{}")))
            self._answer()

        def do_GET(self) -> None:
            events.requests.append((self.path, {}))
            self._answer()

        def _answer(self) -> None:
            events.asked_with.append(dict(self.headers))
            events.arrived.set()
            events.released.wait(30)
            status = events.statuses.pop(0) if events.statuses else 202
            self.send_response(status)
            for name, value in events.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b'{"status": "success", "message": "it was  looked at"}\n')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    events.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield events
    finally:
        events.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def a_policy(*, smtp_port: int = 0, pagerduty: str = "", **changes: Any) -> AlertPolicy:
    """Return a policy with mail if a port is given and pages if an address is."""
    smtp = Smtp("127.0.0.1", smtp_port or 9, Encryption.NEVER, timeout_seconds=5.0)
    email = EmailPolicy(to=("ops@example.com",) if smtp_port else (), groups={"managers": ("boss@example.com",)}, smtp=smtp)
    page = PagerDutyPolicy(enabled=bool(pagerduty), url=pagerduty or "http://127.0.0.1:9", routing_key="R" * 32)
    return AlertPolicy(email=email, pagerduty=page, timezone="Europe/Berlin", **changes)


def secret(path: Path, text: str) -> str:
    """Write a secret's file and return its path."""
    path.write_text(text)
    path.chmod(0o600)
    return str(path)
