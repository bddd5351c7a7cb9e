"""Processes that hang in the kernel."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.uninterruptible import UninterruptibleCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import (
    Duration,
    Line,
    PositiveDuration,
    at_least,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule


class UninterruptibleThreshold(Section):
    """How long a process may hang in the kernel. People are told with its stack; it is never killed for that."""

    held_for: Annotated[Duration, at_least(timedelta(seconds=1))] = Field(
        timedelta(minutes=2), alias="for", description="how long it must hang without a moment of CPU time"
    )
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often the process table is looked at")
    severity: Severity = Field(Severity.CRITICAL, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Uninterruptible(Area[UninterruptibleThreshold]):
    """`uninterruptible`: people are told; no signal reaches such a process, so nothing is ever done."""

    def checks(self, section: UninterruptibleThreshold, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks for them."""
        del settings
        every = seconds_in(section.every)
        yield UninterruptibleCheck(held_for_seconds=seconds_in(section.held_for), every_seconds=every)

    def rules(self, section: UninterruptibleThreshold, make: RuleMaker) -> Iterable[Rule]:
        """Return the rule that tells people."""
        yield make.rule(
            "uninterruptible",
            "host",
            StatusIs("uninterruptible", "host", seconds_in(section.every, STALE_AFTER_SAMPLES), certain=True),
            at="uninterruptible",
            summary="a process hangs in the kernel, where no signal reaches it; nothing is done to it",
            severity=section.severity,
            runbook=section.runbook,
        )
