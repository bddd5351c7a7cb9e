"""Processes that the kernel ended for want of memory: told, since only the kernel's log has it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.oom import OomCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule


class OomKillSettings(Section):
    """Whether people are told of whom the kernel ended. `oom_kills: {}` is enough."""

    every: PositiveDuration = Field(timedelta(seconds=15), description="how often the kernel's count is read")
    quiet_for: PositiveDuration = Field(
        timedelta(minutes=10), description="how long none must have been ended until it is over"
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class OomKills(Area[OomKillSettings]):
    """`oom_kills`: whom the kernel ended."""

    def checks(self, section: OomKillSettings, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what reads the kernel's count."""
        del settings
        yield OomCheck(every_seconds=seconds_in(section.every), shown_for_seconds=seconds_in(section.quiet_for))

    def rules(self, section: OomKillSettings, make: RuleMaker) -> Iterable[Rule]:
        """Return the one rule."""
        yield make.rule(
            "oom",
            "host",
            # What was seen to be counted needs no second look: it does not become less.
            StatusIs("oom.kills", "host", seconds_in(section.every, STALE_AFTER_SAMPLES), certain=True),
            at="oom_kills",
            summary="the kernel has ended processes for want of memory",
            severity=section.severity,
            runbook=section.runbook,
        )
