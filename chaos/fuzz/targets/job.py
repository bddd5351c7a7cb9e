"""The workers' JSON, in and out: what is read is written the same again, anything else is refused."""

from __future__ import annotations

import contextlib

from chaos.fuzz.promise import promise
from zen_agents.jobs.alert_delivery import DeliveryReply, DeliveryRequest, MalformedJobError

SEEDS = (
    b'{"version":1,"within_seconds":45,"items":[{"kind":"ping","ref":"a","url":"http://x/"}]}',
    b'{"version":1,"items":[{"kind":"event","ref":"a","url":"u","event":{"a":1}},{"kind":"apprise","ref":"b","title":"t",'
    b'"body":"b","notify_type":"info"}]}',
    b'{"version":1,"items":[{"kind":"email","ref":"a","host":"h","port":25,"encryption":"auto","sender_name":"n","sender":"s@x",'
    b'"recipients":["r@x"],"subject":"s","text":"t","html":"h","message_id":"m","sent_at":1,"headers":[["a","b"]]}]}',
    b'{"version":1,"results":[{"ref":"a","outcome":"ok","detail":"","retry_after_seconds":1.5}]}',
    b"[" * 100_000,
    b'{"version":1,"results":[{"ref":"a","outcome":"ok","retry_after_seconds":NaN}]}',
    b'{"version":1,"items":[{"kind":[]}]}',
)
WORDS = (b'"kind":', b'"ref":', b'"event":', b'"outcome":"retry"', b'"headers":[[', b"null", b"1e999", b"NaN", b"\\ud800")


def fuzz(data: bytes) -> None:
    """Read one text as request and as reply."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(MalformedJobError):
        request = DeliveryRequest.from_json(text)
        # By their writing, since NaN in an event is not equal to itself.
        promise(DeliveryRequest.from_json(request.to_json()).to_json() == request.to_json(), "a request changed on its way")
    with contextlib.suppress(MalformedJobError):
        reply = DeliveryReply.from_json(text)
        promise(DeliveryReply.from_json(reply.to_json()) == reply, "a reply changed on its way")
