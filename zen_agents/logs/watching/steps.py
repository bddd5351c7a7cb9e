"""Which lines count for which steps of patterns, and what of a line has to be read for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from zen_agents.dataclass import dataclass
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import DistinctRule
from zen_agents.logs.detection.where import Test, compiled
from zen_agents.logs.formats.base import Found
from zen_agents.logs.keys import LONGEST_VALUE, Key
from zen_agents.logs.matching.base import Groups
from zen_agents.logs.record import LogRecord
from zen_agents.logs.watching.rule import PatternRule


@dataclass(frozen=True, slots=True)
class WatchedStep:
    """A step of a pattern."""

    pattern: int
    number: int
    holds: Test | None
    means: Callable[[LogRecord], bool] | None

    def counts(self, text: str, found: Found | None, fields: Mapping[str, str]) -> bool:
        """Tell whether a line that its pattern matches is one of its lines."""
        if self.holds is not None and not self.holds(fields):
            return False
        return self.means is None or self.means(LogRecord("", text, found[0] if found else None, fields))


class ByGroups(NamedTuple):
    """A pattern whose lines are counted by what its own groups took: of most lines that are hit, nothing else is asked."""

    pattern: int
    #: Places among the groups, in the order of the key.
    places: Sequence[int]

    def key(self, groups: Groups) -> Key | None:
        """Return whose line it is; None if that takes more than these groups to tell."""
        values = [groups[place] for place in self.places]
        if None in values:
            return None
        key = tuple([value.decode("utf-8", "replace") for value in values if value is not None])
        return key if max(map(len, key)) <= LONGEST_VALUE else None


def steps_by_match(rules: Sequence[PatternRule], places: Mapping[str, int]) -> dict[int | None, list[WatchedStep]]:
    """Return by the matcher's pattern, None for every line, the steps whose lines these are."""
    found: dict[int | None, list[WatchedStep]] = {}
    for pattern, rule in enumerate(rules):
        for number, step in enumerate(rule.steps):
            made = WatchedStep(pattern, number, _test(step.where), _meaning(step.sigma))
            found.setdefault(places.get(step.match), []).append(made)
    return found


def asked_of(steps: Sequence[WatchedStep], rules: Sequence[PatternRule]) -> frozenset[str] | None:
    """Return the fields that are asked of lines of these steps; None if it may be any: by a test, or for what is shared."""
    names: set[str] = set()
    for step in steps:
        detects = rules[step.pattern].detects
        if step.holds is not None or step.means is not None or not detects.by:
            return None
        names.update(detects.by, (detects.distinct,) if isinstance(detects, DistinctRule) else ())
    return frozenset(names)


def by_groups_of(steps: Sequence[WatchedStep], rules: Sequence[PatternRule], groups: Sequence[str]) -> ByGroups | None:
    """Return how lines of these steps are counted if their groups tell all that is asked; None otherwise."""
    step, *others = steps
    detects, asked = rules[step.pattern].detects, asked_of(steps, rules)
    if others or asked is None or not isinstance(detects, CountRule) or not asked <= set(groups):
        return None
    return ByGroups(step.pattern, [groups.index(name) for name in detects.by])


def _test(where: Mapping[str, object] | None) -> Test | None:
    return compiled(where) if where else None


def _meaning(sigma: Mapping[str, Any] | None) -> Callable[[LogRecord], bool] | None:
    if sigma is None:
        return None
    from zen_agents.logs.sigma.rules import rules_of  # noqa: PLC0415 - only where there is such a rule

    return rules_of([sigma])[0].means
