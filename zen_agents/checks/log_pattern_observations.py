"""What is observed of the patterns of a source: of hundreds, few stand otherwise than at the last look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import repeat

from zen_agents.clock import Instant
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.watching.pattern import Seen
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.logs.watching.source import SourceWatch
from zen_agents.model.duration import duration
from zen_agents.model.observation import Observation, Status, facts_of_lines


def pattern_name(pattern: str) -> str:
    """Return the name of the observation about a pattern."""
    return f"pattern.{pattern}"


class PatternObservations:
    """Makes them at each look, and keeps those of the last one."""

    def __init__(self, target: str, rules: Sequence[PatternRule]) -> None:
        self._target, self._rules = target, rules
        self._last: Sequence[Observation] = ()
        #: Whether something was found, at the last look.
        self.is_raised = False

    def of(self, watch: SourceWatch, now: Instant) -> Sequence[Observation]:
        """Return what is observed of each pattern now."""
        seen = watch.seen()
        last = _as_of(now, self._last) or [self._pattern(rule, seen[rule.name], now) for rule in self._rules]
        for number in watch.renewed:
            rule = self._rules[number]
            last[number] = self._pattern(rule, seen[rule.name], now)
        self._last, self.is_raised = last, any(each.is_raised for each in seen.values())
        return last

    def forget(self) -> None:
        """Make all of them anew at the next look."""
        self._last, self.is_raised = (), False

    def _pattern(self, rule: PatternRule, seen: Seen, now: Instant) -> Observation:
        status = Status.PROBLEM if seen.is_raised else Status.OK
        facts = facts_of_lines(seen.last, seen.written, seen.shared) if seen.is_raised else {}
        return Observation(
            pattern_name(rule.name), self._target, status, now, float(seen.lines), _said(rule, seen), facts=facts
        )


def _as_of(now: Instant, observations: Sequence[Observation]) -> list[Observation]:
    """Return observations that still hold. There may be hundreds at each look, and so this is left to C."""
    if not observations:
        return []
    names, targets, statuses, _, *rest = zip(*observations, strict=True)
    anew = zip(names, targets, statuses, repeat(now), *rest, strict=False)
    return list(map(partial(tuple.__new__, Observation), anew))


def _said(rule: PatternRule, seen: Seen) -> str:
    """Return in one sentence whose lines, how many, and the last of them."""
    if not seen.is_raised:
        return f"{seen.lines} lines so far" if seen.lines else "no line so far"
    whose = "; ".join(", ".join(key) for key in seen.keys if key)
    more = f" and {seen.raised - len(seen.keys)} more" if seen.raised > len(seen.keys) else ""
    last = _silence(rule.detects, seen) if isinstance(rule.detects, AbsenceRule) else f"last line: {seen.last[-1]}"
    return f"{whose}{more}: {last}" if whose else last


def _silence(rule: AbsenceRule, seen: Seen) -> str:
    silent = f"no line for more than {duration(rule.for_seconds)}"
    if not seen.last:
        return silent
    return (
        f"{silent}; the last one, of {datetime.fromtimestamp(seen.written[-1], UTC):%Y-%m-%d %H:%M:%S} UTC: {seen.last[-1]}"
    )
