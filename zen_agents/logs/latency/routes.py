"""The name of an operation without what differs from one request to the next."""

from __future__ import annotations

import functools
import re
from typing import Final

#: A route has so many segments and characters at most; what comes after is left out.
MOST_SEGMENTS: Final = 8
LONGEST_ROUTE: Final = 200
_LONGEST_SEGMENT: Final = 40
_VERSION: Final = re.compile(r"v\d{1,3}(?:\.\d{1,3})?", re.ASCII)
_HEX: Final = re.compile(r"(?=[a-f-]*\d)[0-9a-f-]{8,}", re.ASCII | re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+", re.ASCII)


def route_of(path: str, method: str = "") -> str:
    """Return the route of a path: `GET /api/v1/orders/{n}` of `/api/v1/orders/17?page=2`.

    Numbers become `{n}`, identifiers and what is encoded or very long `{id}`; a version (`v1`) stays. The query is no part
    of a route. Of an absolute address the path counts.
    """
    path = path[: 4 * LONGEST_ROUTE].partition("?")[0].partition("#")[0]
    _, scheme, rest = path.partition("://")
    if scheme:
        path = "/" + rest.partition("/")[2]
    segments = [segment for segment in path.split("/") if segment]
    named = [_segment(segment) for segment in segments[:MOST_SEGMENTS]] + ["…"] * (len(segments) > MOST_SEGMENTS)
    return f"{method} /{'/'.join(named)}".strip()[:LONGEST_ROUTE]


def _segment(segment: str) -> str:
    if len(segment) > _LONGEST_SEGMENT:
        return "{id}"
    return "{n}" if segment.isdigit() and segment.isascii() else _word(segment)


@functools.lru_cache(maxsize=4096)
def _word(segment: str) -> str:
    """Return what a segment is that is no number: of routes there are few, and they come again and again."""
    if _VERSION.fullmatch(segment):
        return segment
    return "{id}" if "%" in segment or _is_identifier(segment) else _NUMBER.sub("{n}", segment)


def _is_identifier(segment: str) -> bool:
    return _HEX.fullmatch(segment) is not None and not segment.isdigit()
