"""What commands about packages print for programs; see `shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zen_agents.cli.json_schema import items

_TEXT_OR_NULL, _NUMBER_OR_NULL = (str, None), (float, None)
_PACKAGE = dict.fromkeys(
    ("name", "version", "ecosystem", "environment", "source", "source_version", "architecture", "purl"), str
)
_WEAKNESS = {
    "name": str, "version": str, "ecosystem": str, "environment": str, "purl": str, "advisory": str, "aliases": [str],
    "severity": str, "score": _NUMBER_OR_NULL, "vector": str, "fixed_in": str, "summary": str, "source": str,
    "exploited": ({"since": str, "due": _TEXT_OR_NULL, "ransomware": bool}, None),
}  # fmt: skip
_STEP = {
    "installed": str, "wanted": str, "fixes": [str], "kind": str, "stance": str, "why": str,
}  # fmt: skip
_PACKAGE_PLAN = {
    "name": str, "rule": str, "target": str, "outcome": str, "reason": _TEXT_OR_NULL, "detail": str, "steps": [str],
    "asks": [str], "reversible": _TEXT_OR_NULL, "restarts": [str], "digest": _TEXT_OR_NULL,
}  # fmt: skip
_UPDATE = {**_STEP, "name": str, "place": str}
_PLACE = {"place": str, "path": str, "ecosystem": str}


#: By name; see `shapes`.
PACKAGES: Mapping[str, Any] = {
    "packages": ({
        "items": [_PACKAGE],
        "environments": [{"environment": str, "ecosystem": str, "packages": int,
                          "problems": [{"path": str, "line": int, "why": str}]}],
    }, items(_PACKAGE)),
    "packages-audit": ({
        "packages": int, "findings": [_WEAKNESS], "ignored": [{**_WEAKNESS, "reason": str, "until": str}],
        "excused": [{**_WEAKNESS, "status": str, "reason": str, "by": str}],
        "expired": [{"advisory": str, "package": str, "reason": str, "until": str}],
        "unknown": [{"source": str, "why": str, "purl": _TEXT_OR_NULL}],
        "sources": [{"source": str, "ecosystems": [str], "as_of": _TEXT_OR_NULL}],
    }, items(_WEAKNESS)),
    "packages-outdated": ({
        "packages": int, "places": [_PLACE], "items": [_UPDATE], "unknown": [{"place": str, "why": str}],
        "yanked": [{"place": str, "package": str, "version": str, "reason": str}], "notes": [{"place": str, "note": str}],
    }, items(_UPDATE)),
    "packages-plan": ({
        "would_run": int, "needs_you": int, "blocked": int, "alert_only": int, "unknown": int, "items": [_PACKAGE_PLAN],
    }, items(_PACKAGE_PLAN)),
    "packages-why": {
        "name": str,
        "places": [{
            "place": str, "path": str, "versions": [str], "required_by": [{"name": str, "asks": str}],
            "weaknesses": [{"package": str, "version": str, "advisory": str, "rating": str, "is_exploited": bool,
                            "fixed_in": str, "summary": str}],
            "updates": [_STEP], "yanked": [str],
        }],
        "actions": [{"id": str, "action": str, "target": str, "outcome": str}],
        "refused": [{"at": str, "what": str}], "untold": str,
    },
}  # fmt: skip
