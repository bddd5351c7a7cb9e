"""The rule for what must be as declared, a file or a kernel setting: held for a while, then given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.model.duration import seconds_in
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule

#: What did not help the second time is a person's: neither a file system nor the kernel changes its mind.
_ATTEMPTS = 2


class Kept(Protocol):
    """What the configuration says of one thing that is kept as declared."""

    @property
    def every(self) -> timedelta: ...
    @property
    def held_for(self) -> timedelta: ...
    @property
    def on_failure(self) -> tuple[str, ...] | None: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def runbook(self) -> str: ...


def drift_rule(
    name: str, kept: Kept, make: RuleMaker, *, section: str, target: str, observed: str, what: str, remedy: str
) -> Rule:
    """Return the rule for `section`.NAME: `what` differs, and `remedy` gives it back unless `on_failure` says otherwise."""
    at = f"{section}.{name}"
    return make.rule(
        name,
        target,
        StatusIs(observed, target, seconds_in(kept.every, STALE_AFTER_SAMPLES)),
        at=at,
        summary=f"{what} is not what was declared",
        severity=kept.severity,
        hold=Hold(held_for_seconds=seconds_in(kept.held_for)),
        ladder=make.ladder_or(remedy, kept.on_failure, target=target, at=f"{at}.on_failure", attempts=_ATTEMPTS),
        runbook=kept.runbook,
    )
