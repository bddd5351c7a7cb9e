"""A small client of PagerDuty's Events API v2: one POST, and what its status means."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from zen_agents.jobs.alert_delivery import Delivered, DeliveryOutcome, EventItem, PingItem
from zen_agents.workers.secret_file import SecretError, read_secret

#: What a head looks like; nothing else becomes a header.
_HEAD = re.compile(r"[0-9]{1,20}:[0-9a-f]{64}")
_MOST_ANSWER_BYTES = 16 * 1024
_MOST_RETRY_AFTER_SECONDS = 3600.0


class AddressError(Exception):
    """The address is not one that can be asked over HTTP."""


def send_event(item: EventItem) -> Delivered:
    """Send one event; never raises.

    202 (any 2xx) is `ok`. 429, 408, every 5xx and whatever goes wrong on the way is `retry`. Every other status, 400 first,
    is `reject`: the event itself is not accepted.
    """
    try:
        key = item.routing_key or read_secret(item.routing_key_file)
        body = json.dumps({"routing_key": key, **item.event}).encode()
        status, answer, retry_after = request("POST", item.url, body=body, timeout_seconds=item.timeout_seconds)
    except SecretError as error:  # somebody may put the file right: later attempts read it anew
        return Delivered(item.ref, DeliveryOutcome.RETRY, f"the routing key cannot be read: {error}")
    except AddressError as error:
        return Delivered(item.ref, DeliveryOutcome.REJECT, str(error))
    except (OSError, http.client.HTTPException) as error:
        return Delivered(item.ref, DeliveryOutcome.RETRY, f"{_place(item.url)}: {_words(error)}")
    if 200 <= status < 300:
        return Delivered(item.ref, DeliveryOutcome.OK, f"{status}")
    detail = f"{status} {answer}".replace(key, "ROUTING-KEY")
    if status in (408, 429) or status >= 500:
        return Delivered(item.ref, DeliveryOutcome.RETRY, detail, retry_after)
    return Delivered(item.ref, DeliveryOutcome.REJECT, detail)


def ping(item: PingItem) -> Delivered:
    """Fetch the heartbeat's address once; never raises. The address is a secret and is not repeated in the answer."""
    try:
        url = item.url or read_secret(item.url_file)
        method, head = ("POST" if item.method == "POST" else "GET"), item.head
        status, _, _ = request(
            method, url, timeout_seconds=item.timeout_seconds,
            body=json.dumps({"ledger_head": head}).encode() if method == "POST" else b"",
            headers={"X-Zen-Ledger-Head": head} if _HEAD.fullmatch(head) else {},
        )  # fmt: skip
    except (SecretError, AddressError) as error:
        return Delivered(item.ref, DeliveryOutcome.RETRY, str(error))
    except (OSError, http.client.HTTPException) as error:
        return Delivered(item.ref, DeliveryOutcome.RETRY, _words(error))
    good = 200 <= status < 300
    return Delivered(item.ref, DeliveryOutcome.OK if good else DeliveryOutcome.RETRY, f"{status}")


def request(
    method: str, url: str, *, timeout_seconds: float, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, str, float]:
    """Return (status, first line of the answer, seconds of Retry-After or 0). Redirects are not followed.

    Raises:
        AddressError: the address is not http or https with a host.
        OSError, http.client.HTTPException: it could not be asked.
    """
    connection, path = _connection(url, timeout_seconds)
    sent = {"Content-Type": "application/json", "User-Agent": "zen-agents", **(headers or {})}
    try:
        try:
            connection.request(method, path, body=body or None, headers=sent)
        except UnicodeError as error:
            raise AddressError("the address holds characters that have to be written as %XX") from error
        response = connection.getresponse()
        answer = response.read(_MOST_ANSWER_BYTES).decode("utf-8", "replace")
        return response.status, " ".join(answer.split())[:300], _retry_after(response.getheader("Retry-After"))
    finally:
        connection.close()


def _connection(url: str, timeout_seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not open yet, and what to ask it for; AddressError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressError(f"the address is not of the form https://host/path: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise AddressError("the address is not of the form https://host/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context), path
    return http.client.HTTPConnection(host, port, timeout=timeout_seconds), path


def _retry_after(value: str | None) -> float:
    # isdigit alone also takes superscripts, which are no numbers.
    if value is None or not (value.isascii() and value.strip().isdigit()):
        return 0.0
    return min(float(value), _MOST_RETRY_AFTER_SECONDS)


def _place(url: str) -> str:
    return urlsplit(url).hostname or "the address"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
