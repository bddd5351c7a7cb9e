"""The delivery worker: reads a request, sends each item, answers for each. Start it with `python -m`, JSON on stdin.

What mails need is loaded before the request is read: it may be started while that is still being made.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from zen_agents.jobs.alert_delivery import (
    AppriseItem,
    Delivered,
    DeliveryOutcome,
    DeliveryReply,
    DeliveryRequest,
    EmailItem,
    EventItem,
    Item,
    MalformedJobError,
)
from zen_agents.workers.email_channel import MailServer


def deliver(request: DeliveryRequest) -> DeliveryReply:
    """Return one answer an item. What is not begun in time is `retry`; one channel's trouble is not another's."""
    deadline = time.monotonic() + request.within_seconds
    return DeliveryReply(tuple(_answers(request, deadline)))


def main() -> int:
    """Read the request from stdin, write the reply to stdout; the exit status is 2 for a request that is none."""
    try:
        request = DeliveryRequest.from_json(sys.stdin.read())
    except MalformedJobError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(deliver(request).to_json())
    return 0


def _answers(request: DeliveryRequest, deadline: float) -> Iterator[Delivered]:
    mail = _Mail()
    unreached: set[str] = set()
    try:
        for item in request.items:
            if time.monotonic() >= deadline:
                yield Delivered(item.ref, DeliveryOutcome.RETRY, "not begun in time")
            elif isinstance(item, EventItem) and item.url in unreached:
                yield Delivered(item.ref, DeliveryOutcome.RETRY, "not tried: the one before did not get through")
            else:
                answer = _send(item, mail)
                if isinstance(item, EventItem) and answer.outcome is DeliveryOutcome.RETRY:
                    unreached.add(item.url)
                yield answer
    finally:
        mail.close()


def _send(item: Item, mail: _Mail) -> Delivered:
    # The code of each other channel is loaded only when it has something to send.
    if isinstance(item, EmailItem):
        return mail.send(item)
    if isinstance(item, AppriseItem):
        from zen_agents.workers.apprise_channel import send_apprise  # noqa: PLC0415

        return send_apprise(item)
    from zen_agents.workers.pagerduty import ping, send_event  # noqa: PLC0415

    return send_event(item) if isinstance(item, EventItem) else ping(item)


class _Mail:
    """The connections to mail servers, one for each server and account."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, int, str], MailServer] = {}

    def send(self, item: EmailItem) -> Delivered:
        server = self._servers.setdefault((item.host, item.port, item.user), MailServer())
        return server.send(item)

    def close(self) -> None:
        for server in self._servers.values():
            server.close()


if __name__ == "__main__":
    raise SystemExit(main())
