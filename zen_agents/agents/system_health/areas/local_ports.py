"""The ports from which this host connects: told before none is left."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.local_ports import LocalPortsCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import Line, Percent, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Hold, Rule


class LocalPortsUse(Section):
    """How far the ports of this host may be used up."""

    above: Percent = Field(80.0, description="percent of the range taken towards one address and port")
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often they are counted")
    fail_after: int = Field(2, ge=1, le=1000, description="counts above it in a row that make it a problem")
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class LocalPortRange(Area[LocalPortsUse]):
    """`local_ports`: told when they run out, and who takes them."""

    def checks(self, section: LocalPortsUse, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what counts them."""
        del settings
        yield LocalPortsCheck(above=section.above, wider=None, every_seconds=seconds_in(section.every))

    def rules(self, section: LocalPortsUse, make: RuleMaker) -> Iterable[Rule]:
        """Return the rule about them."""
        yield make.rule(
            "local_ports",
            LocalPortsCheck.TARGET,
            now_above("local_ports.percent", LocalPortsCheck.TARGET, section.above, seconds_in(section.every)),
            at="local_ports",
            summary="this host has hardly any port left from which to connect",
            severity=section.severity,
            hold=Hold(fail_after=section.fail_after),
            runbook=section.runbook,
        )
