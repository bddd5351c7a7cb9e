"""What commands about logs print for programs; see `shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXT_OR_NULL, _NUMBER_OR_NULL = (str, None), (float, None)
#: A kind of lines, with when its first and last line came (seconds since the epoch, 0 where lines say no time).
_TEMPLATE = {"text": str, "example": str, "lines": int, "first": float, "last": float}


#: By name; see `shapes`.
LOGS: Mapping[str, Any] = {
    "logs-learned": {"items": [{
        "source": str, "learns_for_seconds": float, "known": int,
        "kinds": [{"text": str, "example": str, "lines": int, "first": float, "last": float, "usual": _NUMBER_OR_NULL,
                   "told": str}],
    }]},
    "logs-report": {
        "files": [{"file": str, "format": str, "why": str, "shortened": int, "dropped": int}],
        "lines": int, "errors": int, "older": int, "first": _NUMBER_OR_NULL, "last": _NUMBER_OR_NULL,
        "part_seconds": int, "parts": [{"at": float, "lines": int, "errors": int}], "kinds": int,
        "templates": [_TEMPLATE], "error_templates": [_TEMPLATE], "new_templates": [_TEMPLATE],
        "security": [{"text": str, "count": int, "missed": int}], "security_events": int,
        "operations": [{"operation": str, "count": int,
                        **dict.fromkeys(("mean", "p50", "p95", "p99", "longest"), float)}],
    },
    "logs-search": {
        "items": [{"file": str, "at": _TEXT_OR_NULL, "text": str}], "unread": [{"file": str, "why": str}],
    },
    "logs-sigma": {
        "taken": [{"file": str, "name": str, "title": str, "severity": str, "lines_of": str}],
        "refused": [{"file": str, "title": str, "why": str}],
    },
}  # fmt: skip
