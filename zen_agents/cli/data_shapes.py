"""What commands about data print for programs: reports, profiles and repairs; see `shapes`."""

from __future__ import annotations

_TEXT_OR_NULL, _NUMBER_OR_NULL = (str, None), (float, None)

_ROWS_REPAIRED = {
    "rows": int, "kept": int, "taken": int, "dropped": int, "changed": int, "share": float,
    "preview": [{
        "number": _NUMBER_OR_NULL, "keys": [[_TEXT_OR_NULL]],
        "cells": [{"column": str, "before": _TEXT_OR_NULL, "after": _TEXT_OR_NULL}],
    }],
    "leaving": [{"number": _NUMBER_OR_NULL, "line": _NUMBER_OR_NULL, "keys": [[_TEXT_OR_NULL]], "why": str}],
}  # fmt: skip
DATA_REPAIR = {
    "dataset": str, "place": str, "unable": str,
    "files": [{"path": str, "renamed": {"*": str}, "rewritten": [str], "sha256": str, **_ROWS_REPAIRED}],
    "table": ({"place": str, "triggers": [str], **_ROWS_REPAIRED}, None),
}  # fmt: skip
CELL = {"column": str, "text": _TEXT_OR_NULL}
DATA_PROFILE = ({"rows": int, "columns": [
    {"column": str, "quantiles": [float], "shares": [{"text": _TEXT_OR_NULL, "share": float}]}
], "parts": [{"name": str, "rows": int}]}, None)  # fmt: skip
DATA_RUN = {
    "started_at": float, "outcome": str, "rows": _NUMBER_OR_NULL, "seconds": float, "failed": int,
    "named": [{"check": str, "count": int, "total": int}],
}  # fmt: skip
DATA_REPORT = {
    "dataset": str, "place": str, "started_at": float, "rows": _NUMBER_OR_NULL, "unknown": str, "passes": int,
    "seconds": float, "outcome": str,
    "findings": [{
        "check": str, "kind": str, "columns": [str], "outcome": str, "severity": str, "count": int, "total": int,
        "evidence": [{"number": _NUMBER_OR_NULL, "file": str, "keys": [CELL], "cells": [CELL]}],
        "reason": str, "value": _NUMBER_OR_NULL,
    }],
    "profile": DATA_PROFILE,
}  # fmt: skip
