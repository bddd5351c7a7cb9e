"""Network links and the way out of this host. Findings alone: a link is never touched by the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.link import LinkCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule


class WatchedLink(Section):
    """One network interface, the default route, or both."""

    interface: Annotated[Line, Field(pattern=r"^[A-Za-z0-9_.:@-]{0,15}$")] = Field(
        "", description="interface that must be up and have a signal; empty: only the route is looked at"
    )
    default_route: bool = Field(
        False, description="true: there must be a default route, through the interface if one is named"
    )
    held_for: Duration = Field(timedelta(0), alias="for", description="how long it must be wrong before it counts")
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often it is looked at")
    severity: Severity = Field(Severity.CRITICAL, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _is_something(self) -> WatchedLink:
        if not self.interface and not self.default_route:
            raise refuse("one_of", "says nothing to look at: `interface`, `default_route: true`, or both", at="interface")
        return self


class Links(Area[Mapping[str, WatchedLink]]):
    """`links`: told when they are down."""

    def checks(self, section: Mapping[str, WatchedLink], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each."""
        del settings
        for name, link in section.items():
            every = seconds_in(link.every)
            yield LinkCheck(name, interface=link.interface, default_route=link.default_route, every_seconds=every)

    def rules(self, section: Mapping[str, WatchedLink], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, link in section.items():
            target = f"link:{name}"
            yield make.rule(
                name,
                target,
                StatusIs(f"link.{name}", target, seconds_in(link.every, STALE_AFTER_SAMPLES)),
                at=f"links.{name}",
                summary=f"{link.interface or 'the default route'} is not as it should be",
                severity=link.severity,
                hold=Hold(held_for_seconds=seconds_in(link.held_for)),
                runbook=link.runbook,
            )
