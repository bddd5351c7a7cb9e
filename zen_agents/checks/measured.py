"""From a number to an observation: what is no plain number is UNKNOWN (R2)."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status

_NO_FACTS: Mapping[str, str] = {}


def measured(
    check: Check,
    name: str,
    now: Instant,
    value: float,
    detail: str = "",
    *,
    lowest: float = 0.0,
    facts: Mapping[str, str] = _NO_FACTS,
    fingerprint: str = "",
) -> Observation:
    """Return a plain measurement; UNKNOWN for a value that is no finite number or is below `lowest`."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or value < lowest:
        return untold(check, name, now, f"{name} cannot be {value!r:.40}")
    return Observation(name, check.target, Status.OK, now, float(value), detail, fingerprint, facts)


def untold(check: Check, name: str, now: Instant, why: str) -> Observation:
    """Return UNKNOWN for one name; `Check.unknown` does it for all."""
    return Observation(name, check.target, Status.UNKNOWN, now, None, why)


def share_percent(part: float, whole: float) -> float:
    """Return what percentage `part` is of `whole`; not a number where the whole is nothing, since that is no data."""
    # Rounding may give a little more than all of it.
    return min(100.0, 100.0 * part / whole) if whole > 0 and 0 <= part <= whole else float("nan")
