"""What a line says of something that was done: what, how long it took, and whether it failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from zen_agents.logs.latency.routes import route_of
from zen_agents.logs.record import LEVEL

#: Fields that say how long something took, and how many of them are a second.
_TOOK: Final = (
    ("request_time", 1.0), ("duration_ms", 1e3), ("latency_ms", 1e3), ("took_ms", 1e3), ("duration_seconds", 1.0),
)  # fmt: skip
#: Without one of these fields, a line does not say how long something took, unless in a field of an unusual name.
TELLING: Final = frozenset(name for name, _ in _TOOK)
_NAMES: Final = ("route", "path", "operation", "endpoint", "url")
#: Endings of a field's name, and how many of its numbers are a second; of any other, one is.
_UNITS: Final = (("_ms", 1e3), ("_us", 1e6), ("_ns", 1e9))
_FAILED_FROM: Final = 500
_ERRORS: Final = frozenset({"emergency", "alert", "critical", "error"})


class Request(NamedTuple):
    """One thing that was done. The operation is untrusted text, and "" where the line names none."""

    # A tuple and no dataclass: one is made of each line.

    operation: str
    #: None where the line does not say.
    seconds: float | None
    failed: bool


def request_of(fields: Mapping[str, str], took_key: str = "", operation_key: str = "") -> Request | None:
    """Return what the fields of a line say; None if they tell of nothing that was done: neither a status nor a time.

    A status from 500 failed, and without one a line of level error or worse. Without `took_key` and `operation_key` the
    usual names of such fields are tried.
    """
    seconds = _seconds(fields, took_key)
    status = fields.get("status", "")
    known = status.isascii() and status.isdigit()
    if seconds is None and not known:
        return None
    failed = int(status[:4]) >= _FAILED_FROM if known else fields.get(LEVEL) in _ERRORS
    name = ""
    for each in (operation_key,) if operation_key else _NAMES:
        if name := fields.get(each, ""):
            break
    return Request(route_of(name, fields.get("method", "")) if name else "", seconds, failed)


def _seconds(fields: Mapping[str, str], took_key: str) -> float | None:
    if took_key:
        divisor = next((size for ending, size in _UNITS if took_key.endswith(ending)), 1.0)
        return _number(fields.get(took_key, ""), divisor)
    for name, divisor in _TOOK:
        if (said := fields.get(name)) and (seconds := _number(said, divisor)) is not None:
            return seconds
    return None


def _number(text: str, divisor: float) -> float | None:
    try:
        number = float(text[:32])
    except ValueError:
        return None
    return number / divisor if 0 <= number < 1e15 else None
