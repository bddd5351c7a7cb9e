"""Arithmetic of the ladder: which rung, and which attempt of it. How long to wait between two is in `backoff`."""

from __future__ import annotations

from zen_agents.rules.rule import Rule, Rung


def rung_at(rule: Rule, index: int) -> Rung | None:
    """Return the rung at this index, None beyond the last one (also if a reload made the ladder shorter)."""
    return rule.ladder[index] if 0 <= index < len(rule.ladder) else None


def after_failure(rule: Rule, index: int, attempts: int) -> tuple[int, int]:
    """Return (rung, attempts made of it) after one more attempt failed; past the last rung the ladder is exhausted."""
    rung = rung_at(rule, index)
    if rung is None:
        return len(rule.ladder), 0
    if attempts + 1 < rung.attempts:
        return index, attempts + 1
    return index + 1, 0


def is_exhausted(rule: Rule, index: int) -> bool:
    """Tell whether no rung is left."""
    return rung_at(rule, index) is None
