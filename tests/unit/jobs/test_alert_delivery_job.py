import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.jobs.alert_delivery import (
    MOST_ITEMS,
    AppriseItem,
    Delivered,
    DeliveryOutcome,
    DeliveryReply,
    DeliveryRequest,
    EmailItem,
    EventItem,
    MalformedJobError,
    PingItem,
)

MAIL = EmailItem(
    ref="1",
    host="localhost",
    port=25,
    encryption="auto",
    sender_name="zen-agents on web-07",
    sender="zen-agents@web-07",
    recipients=("a@example.com", "b@example.com"),
    subject="down",
    text="text",
    html="<p>text</p>",
    message_id="zen.1@web-07",
    sent_at=1.5,
    headers=(("X-Zen-Host", "web-07"),),
    password="hidden-word",
)
ITEMS = (
    MAIL,
    EventItem("2", "https://events.example.com/v2/enqueue", {"event_action": "trigger"}, routing_key="hidden-word"),
    AppriseItem("3", "title", "body", "failure", url="json://hidden-word"),
    PingItem("4", url="https://hc.example.com/hidden-word"),
)


def test_a_request_survives_the_pipe_and_hides_its_secrets() -> None:
    request = DeliveryRequest(ITEMS, within_seconds=12.0)

    assert DeliveryRequest.from_json(request.to_json()) == request
    assert "\n" not in request.to_json()
    assert "hidden-word" not in repr(request)


def test_a_reply_survives_the_pipe_with_bounded_details() -> None:
    reply = DeliveryReply((Delivered("1", DeliveryOutcome.RETRY, "x" * 9000, 30.0), Delivered("2", DeliveryOutcome.OK)))
    read = DeliveryReply.from_json(reply.to_json())

    assert read.results[0].outcome is DeliveryOutcome.RETRY
    assert read.results[0].retry_after_seconds == 30.0
    assert len(read.results[0].detail) == 500


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version"),
        ({"items": "x"}, "items"),
        ({"items": [{"kind": "ping", "ref": "1"}] * (MOST_ITEMS + 1)}, "at most"),
        ({"items": [{"kind": "shell", "ref": "1"}]}, "unknown kind"),
        ({"items": [{"kind": "ping", "ref": "1", "command": "x"}]}, "unknown field"),
        ({"items": [{"kind": "ping"}]}, "incomplete"),
        ({"items": [{"kind": "ping", "ref": 7}]}, "ref"),
        ({"items": [{"kind": "event", "ref": "1", "url": "u", "event": []}]}, "event"),
        ({"items": [json.loads(DeliveryRequest((MAIL,)).to_json())["items"][0] | {"port": True}]}, "port"),
        ({"items": [json.loads(DeliveryRequest((MAIL,)).to_json())["items"][0] | {"headers": [["a"]]}]}, "pairs"),
        ({"within_seconds": -1}, "seconds"),
    ],
)
def test_a_wrong_request_is_refused_with_what_is_wrong(change: dict[str, object], says: str) -> None:
    with pytest.raises(MalformedJobError, match=says):
        DeliveryRequest.from_json(json.dumps({"version": 1, "items": [], **change}))


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["version", "items", "results", "ref"]), inner)
    ),
    max_leaves=12,
)


@given(values | st.text().map(lambda text: {"version": 1, "results": [{"ref": text, "outcome": text}]}))
def test_garbage_is_refused_and_never_anything_else(value: object) -> None:
    for kind in (DeliveryRequest, DeliveryReply):
        try:
            read = kind.from_json(json.dumps(value))
        except MalformedJobError:
            continue
        # What is taken says the same once it was written again.
        assert isinstance(read, kind) and kind.from_json(read.to_json()) == read


def test_text_that_is_no_json_is_refused() -> None:
    for text in ("", "{", "[" * 100_000):
        with pytest.raises(MalformedJobError):
            DeliveryReply.from_json(text)
