"""The ports from which this host connects: told before none is left."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.for_a_while import Limit, limit_rules
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.local_ports import LocalPortsCheck, PortRange
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, Percent, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule

_LIMIT = Limit(
    name="local_ports",
    target=LocalPortsCheck.TARGET,
    summary="this host has hardly any port left from which to connect",
    raised="widened",
    raised_summary="this host has connected from a wider range of ports for long enough",
    raises="widen_port_range",
    restores="restore_port_range",
)
_SPAN = re.compile(r"(\d{4,5})-(\d{4,5})", re.ASCII)


def _span(value: str) -> str:
    found = _SPAN.fullmatch(value)
    if found is None or not 1024 <= int(found[1]) < int(found[2]) <= 65535:
        raise refuse("range", f"is FIRST-LAST within 1024-65535, like 32768-60999, got `{value}`")
    return value


#: First and last port.
PortSpan = Annotated[str, AfterValidator(_span)]


class LocalPortsUse(Section):
    """How far the ports of this host may be used up."""

    above: Percent = Field(80.0, description="percent of the range taken towards one address and port")
    usual: PortSpan = Field("32768-60999", description="first and last port of every day, as the host sets it at boot")
    widen_to: PortSpan | None = Field(
        None,
        description="wider range, around the usual one, for while they run out (widen_port_range); empty: only tell",
    )
    widened_for: Duration = Field(
        timedelta(hours=1), description="how long it stays wider before the usual one comes back (restore_port_range)"
    )
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often they are counted")
    fail_after: int = Field(2, ge=1, le=1000, description="counts above it in a row that make it a problem")
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _is_wider(self) -> LocalPortsUse:
        if self.widen_to is not None:
            usual, wider = _range(self.usual), _range(self.widen_to)
            if usual == wider or not wider.first <= usual.first <= usual.last <= wider.last:
                raise refuse("clear", f"is not wider than `usual: {self.usual}`", at="widen_to", see="usual")
        return self


class LocalPortRange(Area[LocalPortsUse]):
    """`local_ports`: told when they run out, and who takes them."""

    def checks(self, section: LocalPortsUse, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what counts them."""
        del settings
        wider = _range(section.widen_to) if section.widen_to is not None else None
        yield LocalPortsCheck(above=section.above, wider=wider, every_seconds=seconds_in(section.every))

    def remedies(self, section: LocalPortsUse) -> Iterable[Remedy]:
        """Return what may be done about them."""
        if section.widen_to is not None:
            name = LocalPortsCheck.TARGET.partition(":")[2]
            params = {"usual": section.usual.replace("-", " "), "wider": section.widen_to.replace("-", " ")}
            yield "widen_port_range", name, params
            yield "restore_port_range", name, {**params, "above_percent": section.above}

    def rules(self, section: LocalPortsUse, make: RuleMaker) -> Iterable[Rule]:
        """Return the rule about them."""
        raised_for = None if section.widen_to is None else section.widened_for
        return limit_rules(_LIMIT, section, raised_for, make)


def _range(span: str) -> PortRange:
    first, last = span.split("-")
    return PortRange(int(first), int(last))
