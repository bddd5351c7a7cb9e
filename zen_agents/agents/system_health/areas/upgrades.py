"""What an upgrade has replaced and what still runs with it: told, not restarted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.upgrade import UpgradeCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import Duration, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule


class UpgradeSettings(Section):
    """Whether people are told of restarts that upgrades need. `upgrades: {}` is enough."""

    every: PositiveDuration = Field(
        timedelta(minutes=10), description="how often each process is looked at; some 0.2 ms for each of them"
    )
    held_for: Duration = Field(
        timedelta(minutes=10),
        alias="for",
        description="how long it may be so: packages restart their services meanwhile",
    )
    severity: Severity = Field(Severity.INFO, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Upgrades(Area[UpgradeSettings]):
    """`upgrades`: restarts that they need."""

    def checks(self, section: UpgradeSettings, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at the processes."""
        del settings
        yield UpgradeCheck(every_seconds=seconds_in(section.every))

    def rules(self, section: UpgradeSettings, make: RuleMaker) -> Iterable[Rule]:
        """Return the one rule."""
        yield make.rule(
            "upgrades",
            "host",
            StatusIs("upgrades.outdated", "host", seconds_in(section.every, STALE_AFTER_SAMPLES)),
            at="upgrades",
            summary="something still runs with what an upgrade has replaced",
            severity=section.severity,
            hold=Hold(held_for_seconds=seconds_in(section.held_for)),
            runbook=section.runbook,
        )
