"""What PagerDuty, or whoever stands in its place, answers: always an outcome, and a bounded wait."""

from __future__ import annotations

from math import isfinite

from chaos.fuzz.given import Peer, joined, sections
from chaos.fuzz.promise import promise
from zen_agents.jobs.alert_delivery import DeliveryOutcome, EventItem, PingItem
from zen_agents.workers.pagerduty import ping, send_event

_HEAD = b"HTTP/1.1 429 Slow\r\nRetry-After: "
SEEDS = (
    b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}",
    _HEAD + b"60\r\n\r\n",
    _HEAD + b"\xb2\r\n\r\n",
    _HEAD + b"9" * 5000,
    b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 500 x\r\nContent-Length: -1\r\n\r\n",
    b"",
    b"\xff",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 99999 x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9e9\r\n\r\n",
    joined(b"HTTP/1.1 200 OK\r\n\r\n", "/\u00e9 x".encode()),
    joined(b"HTTP/1.1 200 OK\r\n\r\n", b"/\r\nX: y"),
)
WORDS = (
    b"HTTP/1.1 ",
    b"Retry-After: ",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n\r\n",
    b"503",
    b"\xb2",
)
_peer: list[Peer] = []


def fuzz(data: bytes) -> None:
    """Send an event, and a heartbeat, to somebody who answers with one input; its second section is part of the address."""
    says, path = sections(data, 2)
    if not _peer:
        _peer.append(Peer())
    _peer[0].says(says)
    url = f"http://127.0.0.1:{_peer[0].port}/{path.decode('utf-8', 'replace')}"
    for answer in (
        send_event(EventItem("ref", url, {"event_action": "trigger"}, routing_key="K" * 32, timeout_seconds=5.0)),
        ping(PingItem("ref", url, timeout_seconds=5.0)),
    ):
        promise(answer.outcome in DeliveryOutcome, "no outcome")
        wait = answer.retry_after_seconds
        promise(isfinite(wait) and 0 <= wait <= 3600, f"told to wait {wait} s")
        promise("K" * 32 not in answer.detail, "the routing key is repeated")
