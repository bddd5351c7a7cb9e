"""What an application says about its own pool, as JSON over HTTP."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from zen_agents.jobs.pool_look import PoolRequest
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.workers.secret_file import read_secret

_MOST_BYTES = 64 * 1024
#: No pool has more.
_MOST_CONNECTIONS = 1_000_000_000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is for the one that was named, and for nobody that this one names."""

    def redirect_request(self, *args: Any) -> None:
        del args


def look(request: PoolRequest) -> PoolLook:
    """Return how many are taken of how many there are, as the page says; SecretError for a token that cannot be read."""
    asked = request.asked
    headers = {"Accept": "application/json", "User-Agent": "zen-agents"}
    if asked.password_file:
        headers["Authorization"] = f"Bearer {read_secret(asked.password_file)}"
    context = ssl.create_default_context(cafile=asked.authority or None)
    # No proxy either: a pool is asked where it is.
    opener = urllib.request.build_opener(
        _NoRedirect, urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        wanted = urllib.request.Request(asked.url, headers=headers)  # noqa: S310 - settings take http and https alone
        with opener.open(wanted, timeout=request.within_seconds) as answer:
            text = answer.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        return PoolLook(untold=f"{asked.url} answers with status {error.code}")
    except (OSError, ValueError) as error:
        return PoolLook(untold=f"{asked.url} does not answer: {error}")
    return _numbers(text, asked)


def _numbers(text: bytes, asked: PoolQuestion) -> PoolLook:
    try:
        page = json.loads(text) if len(text) <= _MOST_BYTES else None
        used, limit = (_count(page, path) for path in (asked.used_at, asked.limit_at))
    except (ValueError, RecursionError):
        return PoolLook(untold=f"{asked.url} does not say how many are taken (`{asked.used_at}`, `{asked.limit_at}`)")
    return PoolLook(used, limit, "the pool")


def _count(page: Any, path: str) -> int:
    """Return the number under `a.b.c`; ValueError if there is none that counts something."""
    for name in path.split("."):
        if not isinstance(page, dict) or name not in page:
            raise ValueError(path)
        page = page[name]
    if not isinstance(page, int) or isinstance(page, bool) or not 0 <= page <= _MOST_CONNECTIONS:
        raise ValueError(path)
    return page
