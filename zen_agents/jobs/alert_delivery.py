"""The request and the reply of the delivery worker. JSON both ways, checked and bounded on reading.

An item is one mail, one event, one Apprise message or one ping. Each gets its own answer: `ok` it was taken, `retry`
later may help, `reject` sending it again as it is never will.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from enum import StrEnum
from typing import Any, ClassVar

from zen_agents.dataclass import dataclass

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.alert_delivery"

MOST_ITEMS = 50
MOST_REQUEST_BYTES = 16 * 1024 * 1024
MOST_DETAIL_CHARS = 500
_MOST_TEXT = 1_000_000
_MOST_LIST = 200


class MalformedJobError(ValueError):
    """The job's JSON is not what its worker understands; the message says which part."""


@dataclass(frozen=True, slots=True)
class EmailItem:
    """One mail to all of its recipients."""

    KIND: ClassVar[str] = "email"

    #: Returned with the answer.
    ref: str
    host: str
    port: int
    #: auto, always, never or tls; see `alerts.policy.Encryption`.
    encryption: str
    sender_name: str
    sender: str
    #: Nobody: the server is greeted and logged in to, and no mail is sent.
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    #: Without angle brackets: `alr-7m3x9k.1@web-07`. The same for each attempt: a mail that came twice is seen as one.
    message_id: str
    #: Seconds since the epoch.
    sent_at: float
    headers: tuple[tuple[str, str], ...] = ()
    user: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    timeout_seconds: float = 15.0
    #: File name -> text.
    attachments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EventItem:
    """One event for PagerDuty."""

    KIND: ClassVar[str] = "event"

    ref: str
    #: Full address: `https://events.pagerduty.com/v2/enqueue`.
    url: str
    #: The event without its routing key.
    event: Mapping[str, Any]
    routing_key: str = field(default="", repr=False)
    routing_key_file: str = ""
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class AppriseItem:
    """One message over any Apprise URL."""

    KIND: ClassVar[str] = "apprise"

    ref: str
    title: str
    body: str
    #: info, success, warning or failure.
    notify_type: str
    url: str = field(default="", repr=False)
    url_file: str = ""


@dataclass(frozen=True, slots=True)
class PingItem:
    """One fetch of the heartbeat's address."""

    KIND: ClassVar[str] = "ping"

    ref: str
    url: str = field(default="", repr=False)
    url_file: str = ""
    timeout_seconds: float = 10.0
    method: str = "GET"
    #: The ledger's signed head, `812:7c1e...`; "" if there is none.
    head: str = ""


Item = EmailItem | EventItem | AppriseItem | PingItem
_KINDS: dict[str, type[EmailItem] | type[EventItem] | type[AppriseItem] | type[PingItem]] = {
    kind.KIND: kind for kind in (EmailItem, EventItem, AppriseItem, PingItem)
}


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """What to send, and how long the worker may take over all of it."""

    items: tuple[Item, ...]
    #: Items not begun by then are answered `retry`.
    within_seconds: float = 45.0

    def to_json(self) -> str:
        """Return the request as JSON on one line."""
        items = [{"kind": item.KIND, **asdict(item)} for item in self.items]
        return json.dumps({"version": 1, "within_seconds": self.within_seconds, "items": items}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> DeliveryRequest:
        """Return the request in a text; raises MalformedJobError."""
        if len(text) > MOST_REQUEST_BYTES:
            raise MalformedJobError("the request is too long")
        job = _mapping(_loaded(text), "request")
        items = job.get("items")
        if job.get("version") != 1 or not isinstance(items, list) or len(items) > MOST_ITEMS:
            raise MalformedJobError(f"version is not 1, or items is not a list of at most {MOST_ITEMS}")
        return cls(tuple(_item(_mapping(item, "item")) for item in items), _seconds(job.get("within_seconds", 45.0)))


class DeliveryOutcome(StrEnum):
    """How one item went."""

    OK = "ok"
    RETRY = "retry"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The answer about one item."""

    ref: str
    outcome: DeliveryOutcome
    #: What the other side said, for `status`. Untrusted text.
    detail: str = ""
    #: The other side asked not to be tried before this many seconds; 0 if it did not.
    retry_after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class DeliveryReply:
    """The answers, one an item, in any order; an item without an answer was not tried."""

    results: tuple[Delivered, ...]

    def to_json(self) -> str:
        """Return the reply as JSON on one line."""
        results = [{**asdict(result), "detail": result.detail[:MOST_DETAIL_CHARS]} for result in self.results]
        return json.dumps({"version": 1, "results": results}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> DeliveryReply:
        """Return the reply in a text; raises MalformedJobError."""
        reply = _mapping(_loaded(text), "reply")
        results = reply.get("results")
        if reply.get("version") != 1 or not isinstance(results, list) or len(results) > MOST_ITEMS:
            raise MalformedJobError("this is no reply of the delivery worker")
        return cls(tuple(_delivered(_mapping(result, "result")) for result in results))


def _delivered(values: Mapping[str, Any]) -> Delivered:
    try:
        outcome = DeliveryOutcome(str(values.get("outcome")))
    except ValueError as error:
        raise MalformedJobError(f"unknown outcome {str(values.get('outcome'))[:40]!r}") from error
    detail = str(values.get("detail", ""))[:MOST_DETAIL_CHARS]
    after = values.get("retry_after_seconds", 0.0)
    return Delivered(_text(values.get("ref"), "ref"), outcome, detail, 0.0 if not after else _seconds(after))


def _item(values: Mapping[str, Any]) -> Item:
    kind = _KINDS.get(str(values.get("kind")))
    if kind is None:
        raise MalformedJobError(f"unknown kind of item {str(values.get('kind'))[:40]!r}")
    known = {one.name for one in fields(kind)}
    given = {name: value for name, value in values.items() if name != "kind"}
    if unknown := given.keys() - known:
        raise MalformedJobError(f"unknown field {sorted(unknown)[0][:40]!r} of a {kind.KIND} item")
    try:
        return kind(**{name: _READERS.get(name, _text)(value, name) for name, value in given.items()})
    except TypeError as error:
        raise MalformedJobError(f"a {kind.KIND} item is incomplete: {error}") from error


def _loaded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedJobError("this is not JSON") from error


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedJobError(f"{name} is not an object")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise MalformedJobError(f"{name} is not a text of at most {_MOST_TEXT} characters")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_LIST:
        raise MalformedJobError(f"{name} is not a list of at most {_MOST_LIST}")
    return tuple(_text(one, name) for one in value)


def _pairs(value: object, name: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or len(value) > _MOST_LIST:
        raise MalformedJobError(f"{name} is not a list of at most {_MOST_LIST}")
    pairs = [_texts(one, name) for one in value]
    if any(len(pair) != 2 for pair in pairs):
        raise MalformedJobError(f"{name} is not a list of pairs")
    return tuple((pair[0], pair[1]) for pair in pairs)


def _port(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
        raise MalformedJobError(f"{name} is not a port")
    return value


def _seconds(value: object, name: str = "a time-out") -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 86400:
        raise MalformedJobError(f"{name} is not a number of seconds up to a day")
    return float(value)


def _moment(value: object, name: str) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < 1e11:
        raise MalformedJobError(f"{name} is not a time")
    return float(value)


_READERS: dict[str, Any] = {
    "recipients": _texts,
    "headers": _pairs,
    "attachments": _pairs,
    "port": _port,
    "timeout_seconds": _seconds,
    "sent_at": _moment,
    "event": _mapping,
}
