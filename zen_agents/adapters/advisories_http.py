"""Asks a source of advisories over HTTP, with bounds on time and size."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from zen_agents.adapters.advisories_source import NotThereError, SourceUnavailableError
from zen_agents.model.units import size_in_words

#: One answer may take so long (seconds).
_MOST_SECONDS: Final = 30.0
_HEADERS: Final = {"Accept": "application/json", "User-Agent": "zen-agents", "Content-Type": "application/json"}
_PIECE: Final = 1 << 16
#: Who has too much to do, and does not say when to come back, is asked again after so long each time.
_WAITS_SECONDS: Final = (1.0, 2.0, 4.0)


class _LaterError(SourceUnavailableError):
    """It wants to be asked again after so many seconds, None if it does not say."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who was named is asked, and nobody that this one names."""

    def redirect_request(self, *args: Any) -> None:
        del args


def answer_of(
    url: str, *, until: float, most_bytes: int, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return what is answered to a GET, or to a POST of JSON, by `until` on the monotonic clock.

    Who asks to be asked again later is, as long as there is time. Raises SourceUnavailableError for every status but 200,
    and where nothing, too much or too little comes, or not in time.
    """
    until = min(until, time.monotonic() + _MOST_SECONDS)
    said = {**_HEADERS, **(headers or {})}
    request = urllib.request.Request(url, data=body, headers=said)  # noqa: S310 - `is_address` was asked
    for waited in _WAITS_SECONDS:
        try:
            return _in_time(request, until, most_bytes)
        except _LaterError as error:
            seconds = waited if error.seconds is None else error.seconds
            if seconds >= until - time.monotonic():
                raise SourceUnavailableError(f"{error}, and asks to wait {seconds:g} s") from error
            time.sleep(seconds)
    return _in_time(request, until, most_bytes)


def _in_time(request: urllib.request.Request, until: float, most_bytes: int) -> bytes:
    """Ask in a thread that is left to itself when the time is up: who sends one byte at a time is never silent for long."""
    came: list[bytes | Exception] = []

    def ask() -> None:
        try:
            came.append(_answered(request, until, most_bytes))
        except Exception as error:
            came.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.0, until - time.monotonic()))
    if not came:
        raise SourceUnavailableError(f"{request.full_url} does not answer in time")
    if isinstance(came[0], Exception):
        raise came[0]
    return came[0]


def _answered(request: urllib.request.Request, until: float, most_bytes: int) -> bytes:
    url, opener = request.full_url, urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_left(url, until)) as response:
            if response.status != http.client.OK:
                raise SourceUnavailableError(f"{url} answers with status {response.status}")
            return _read(url, response, until, most_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        why = f"{url} answers with status {error.code}"
        said = error.headers.get("Retry-After", "")
        if error.code == http.HTTPStatus.TOO_MANY_REQUESTS or (error.code == http.HTTPStatus.SERVICE_UNAVAILABLE and said):
            raise _LaterError(why, float(said) if said.isdecimal() else None) from error
        if error.code == http.HTTPStatus.NOT_FOUND:
            raise NotThereError(why) from error
        raise SourceUnavailableError(why) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise SourceUnavailableError(f"{url} does not answer: {reason or type(error).__name__}") from error


def _read(url: str, response: http.client.HTTPResponse, until: float, most_bytes: int) -> bytes:
    content = bytearray()
    while piece := response.read1(_PIECE):
        content += piece
        _left(url, until)
        if len(content) > most_bytes:
            raise SourceUnavailableError(f"{url} answers with more than {size_in_words(most_bytes)}")
    if response.length:
        raise SourceUnavailableError(f"{url} broke off its answer")
    return bytes(content)


def _left(url: str, until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise SourceUnavailableError(f"{url} does not answer in time")
    return left
