"""Rules of a kernel's limit that runs full: it is raised for a while where that is allowed, and then set as usual again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import CLEAR_BELOW
from zen_agents.dataclass import dataclass
from zen_agents.model.duration import seconds_in
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule, Rung

#: What did not help the second time is a person's.
_ATTEMPTS = 2


class WatchedUse(Protocol):
    """What the section of such a limit says."""

    @property
    def above(self) -> float: ...
    @property
    def every(self) -> timedelta: ...
    @property
    def fail_after(self) -> int: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def runbook(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: its section, what observes it, what it is called, and what is done about it."""

    #: Key path of its section, and first part of the observations' names.
    name: str
    target: str
    summary: str
    #: Last part of the observation that it is raised, and of the key that says for how long.
    raised: str
    raised_summary: str
    raises: str
    restores: str


def limit_rules(limit: Limit, section: WatchedUse, raised_for: timedelta | None, make: RuleMaker) -> Iterable[Rule]:
    """Return the rule that it runs full, and, unless it is never raised (None), the one that ends that."""
    name, every = f"{limit.name}.percent", seconds_in(section.every)
    # A few that come and go at the limit are one problem, about which people are asked once.
    over_below = section.above - min(CLEAR_BELOW, section.above / 10)
    yield make.rule(
        limit.name,
        limit.target,
        now_above(name, limit.target, section.above, every),
        clear=now_above(name, limit.target, over_below, every),
        at=limit.name,
        summary=limit.summary,
        severity=section.severity,
        hold=Hold(fail_after=section.fail_after),
        ladder=_ladder(limit.raises, limit.target, make),
        runbook=section.runbook,
    )
    if raised_for is not None:
        raised = f"{limit.name}.{limit.raised}"
        yield make.rule(
            raised,
            limit.target,
            StatusIs(raised, limit.target, seconds_in(section.every, STALE_AFTER_SAMPLES)),
            at=f"{raised}_for",
            summary=limit.raised_summary,
            severity=Severity.WARNING,
            hold=Hold(held_for_seconds=seconds_in(raised_for)),
            ladder=_ladder(limit.restores, limit.target, make),
            runbook=section.runbook,
        )


def _ladder(action: str, target: str, make: RuleMaker) -> tuple[Rung, ...]:
    return make.ladder(make.unasked([make.remedies.of(action, target)]), attempts=_ATTEMPTS)
