import socket
from pathlib import Path

import pytest

from tests.support.telling import event_server, secret
from zen_agents.jobs.alert_delivery import DeliveryOutcome, EventItem, PingItem
from zen_agents.workers.pagerduty import ping, send_event

KEY = "0123456789abcdef0123456789abcdef"


def an_event(url: str, **changes: object) -> EventItem:
    given: dict[str, object] = {"routing_key": KEY, "timeout_seconds": 5.0, **changes}
    return EventItem("1", f"{url}/v2/enqueue", {"event_action": "trigger"}, **given)  # type: ignore[arg-type]


def test_an_event_is_posted_with_its_key() -> None:
    with event_server() as events:
        answer = send_event(an_event(events.url))

    assert answer.outcome is DeliveryOutcome.OK
    assert events.requests == [("/v2/enqueue", {"routing_key": KEY, "event_action": "trigger"})]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, DeliveryOutcome.OK),
        (301, DeliveryOutcome.REJECT),
        (400, DeliveryOutcome.REJECT),
        (403, DeliveryOutcome.REJECT),
        (408, DeliveryOutcome.RETRY),
        (429, DeliveryOutcome.RETRY),
        (500, DeliveryOutcome.RETRY),
        (503, DeliveryOutcome.RETRY),
    ],
)
def test_each_status_means_one_thing(status: int, outcome: DeliveryOutcome) -> None:
    with event_server() as events:
        events.statuses = [status]
        answer = send_event(an_event(events.url))

    assert answer.outcome is outcome
    assert answer.detail.startswith(str(status))


def test_retry_after_is_heeded_and_bounded() -> None:
    with event_server() as events:
        events.statuses, events.headers = [429, 429], {"Retry-After": "99999999"}
        long = send_event(an_event(events.url))
        events.headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
        date = send_event(an_event(events.url))

        # A digit to Python, and no number.
        events.statuses, events.headers = [429], {"Retry-After": "\xb2"}
        odd = send_event(an_event(events.url))

    assert long.retry_after_seconds == 3600.0
    assert date.retry_after_seconds == odd.retry_after_seconds == 0.0
    assert odd.outcome is DeliveryOutcome.RETRY


def test_the_key_is_read_from_its_file_at_each_attempt_and_never_repeated(tmp_path: Path) -> None:
    with event_server() as events:
        events.statuses = [400]
        missing = send_event(an_event(events.url, routing_key="", routing_key_file=str(tmp_path / "key")))
        found = send_event(an_event(events.url, routing_key="", routing_key_file=secret(tmp_path / "key", f"{KEY}\n")))

    assert missing.outcome is DeliveryOutcome.RETRY
    assert found.outcome is DeliveryOutcome.REJECT
    assert events.bodies()[0]["routing_key"] == KEY
    assert KEY not in found.detail


def test_nobody_there_and_no_answer_are_retried() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused = send_event(an_event(f"http://127.0.0.1:{port}"))
    with event_server(hangs=True) as events:
        hung = send_event(an_event(events.url, timeout_seconds=0.2))

    assert refused.outcome is hung.outcome is DeliveryOutcome.RETRY
    assert "refused" in refused.detail
    assert "timed out" in hung.detail


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://127.0.0.1:99999/", "http://[::1/", "http://127.0.0.1:1x/", "http:///x"]
)
def test_an_address_that_is_not_http_is_rejected(url: str) -> None:
    answer = send_event(EventItem("1", url, {}, routing_key=KEY))

    assert answer.outcome is DeliveryOutcome.REJECT


def test_a_ping_fetches_the_secret_address_and_does_not_repeat_it(tmp_path: Path) -> None:
    with event_server() as events:
        events.statuses = [200, 500]
        path = secret(tmp_path / "url", f"{events.url}/ping/hidden-word")
        good, bad = ping(PingItem("h", url_file=path)), ping(PingItem("h", url_file=path))

    assert good.outcome is DeliveryOutcome.OK
    assert bad.outcome is DeliveryOutcome.RETRY
    assert "hidden-word" not in bad.detail
    assert events.requests[0][0] == "/ping/hidden-word"


@pytest.mark.parametrize(("method", "body"), [("GET", {}), ("POST", {"ledger_head": f"812:{'7c' * 32}"})])
def test_a_ping_takes_the_ledger_s_head_along_and_nothing_that_is_none(method: str, body: dict[str, str]) -> None:
    head = f"812:{'7c' * 32}"
    with event_server() as events:
        good = ping(PingItem("h", url=f"{events.url}/ping", method=method, head=head))
        odd = ping(PingItem("h", url=f"{events.url}/ping", head="x\r\nX-Evil: 1"))

    assert (good.outcome, odd.outcome) == (DeliveryOutcome.OK, DeliveryOutcome.OK)
    assert events.requests[0] == ("/ping", body)
    assert events.asked_with[0]["X-Zen-Ledger-Head"] == head
    assert not {"X-Zen-Ledger-Head", "X-Evil"} & set(events.asked_with[1])


def test_an_address_with_characters_that_http_does_not_know_is_rejected() -> None:
    with event_server() as events:
        answer = send_event(EventItem("1", f"{events.url}/caf\xe9", {}, routing_key=KEY))

    assert answer.outcome is DeliveryOutcome.REJECT
    assert events.requests == []
