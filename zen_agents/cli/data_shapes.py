"""What commands about data print for programs: reports, profiles and repairs; see `shapes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zen_agents.cli.json_schema import items

_TEXT_OR_NULL, _NUMBER_OR_NULL = (str, None), (float, None)

_ROWS_REPAIRED = {
    "rows": int, "kept": int, "taken": int, "dropped": int, "changed": int, "share": float,
    "preview": [{
        "number": _NUMBER_OR_NULL, "keys": [[_TEXT_OR_NULL]],
        "cells": [{"column": str, "before": _TEXT_OR_NULL, "after": _TEXT_OR_NULL}],
    }],
    "leaving": [{"number": _NUMBER_OR_NULL, "line": _NUMBER_OR_NULL, "keys": [[_TEXT_OR_NULL]], "why": str}],
}  # fmt: skip
_REPAIR = {
    "dataset": str, "place": str, "unable": str,
    "files": [{"path": str, "renamed": {"*": str}, "rewritten": [str], "sha256": str, **_ROWS_REPAIRED}],
    "table": ({"place": str, "triggers": [str], **_ROWS_REPAIRED}, None),
}  # fmt: skip
_CELL = {"column": str, "text": _TEXT_OR_NULL}
_PROFILE = ({"rows": int, "columns": [
    {"column": str, "quantiles": [float], "shares": [{"text": _TEXT_OR_NULL, "share": float}]}
], "parts": [{"name": str, "rows": int}]}, None)  # fmt: skip
_RUN = {
    "started_at": float, "outcome": str, "rows": _NUMBER_OR_NULL, "seconds": float, "failed": int,
    "named": [{"check": str, "count": int, "total": int}],
}  # fmt: skip
_REPORT = {
    "dataset": str, "place": str, "started_at": float, "rows": _NUMBER_OR_NULL, "unknown": str, "passes": int,
    "seconds": float, "outcome": str,
    "findings": [{
        "check": str, "kind": str, "columns": [str], "outcome": str, "severity": str, "count": int, "total": int,
        "evidence": [{"number": _NUMBER_OR_NULL, "file": str, "keys": [_CELL], "cells": [_CELL]}],
        "reason": str, "value": _NUMBER_OR_NULL,
    }],
    "profile": _PROFILE,
}  # fmt: skip

#: By name; see `shapes`.
DATA: Mapping[str, Any] = {
    "data-check": items(_REPORT),
    "data-diff": {
        "before": str, "after": str, "rows_before": int, "rows_after": int, "key": [str], "removed_columns": [str],
        "added_columns": [str], "types": [{"column": str, "before": str, "after": str}],
        "added": int, "removed": int, "changed": int, "columns": [{"column": str, "rows": int}],
        "rows": [{"change": str, "keys": [_CELL], "before": [_CELL], "after": [_CELL]}],
        "moved": [{"column": str, "psi": float, "ks": _NUMBER_OR_NULL, "shares": _NUMBER_OR_NULL}],
        "not_measured": int, "same": bool,
    },
    "data-infer": items({"text": str, "columns": int, "rows": int, "is_all": bool}),
    "data-repair": items(_REPAIR),
    "data-report": items({
        **_REPORT,
        "history": {"runs": [_RUN], "good": _PROFILE, "good_at": _NUMBER_OR_NULL},
    }),
}  # fmt: skip
