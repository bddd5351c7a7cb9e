"""The table of connections that the firewall tracks: told before it is full."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.for_a_while import Limit, limit_rules
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.conntrack import ConntrackCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, Percent, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule

_LIMIT = Limit(
    name="conntrack",
    target=ConntrackCheck.TARGET,
    summary="the firewall can hardly track another connection",
    raised="raised",
    raised_summary="the firewall has tracked more connections than usual for long enough",
    raises="raise_conntrack_limit",
    restores="restore_conntrack_limit",
)
#: A table is not raised to more than so many times what it usually is.
_MOST_TIMES = 8

Connections = Annotated[int, Field(ge=1024, le=2**28)]


class ConntrackUse(Section):
    """How full the table may be."""

    above: Percent = Field(80.0, description="percent of the table")
    usual: Connections | None = Field(
        None, description="net.netfilter.nf_conntrack_max of every day, as the host sets it; needed for `raise_to`; no unit"
    )
    raise_to: Connections | None = Field(
        None,
        description="higher limit for while the table runs full (raise_conntrack_limit), at most 8 times `usual`; empty: "
        "only tell",
    )
    raised_for: Duration = Field(
        timedelta(hours=1), description="how long it stays higher before `usual` comes back (restore_conntrack_limit)"
    )
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often it is looked at")
    fail_after: int = Field(2, ge=1, le=1000, description="looks above it in a row that make it a problem")
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _is_higher(self) -> ConntrackUse:
        if self.raise_to is None:
            return self
        if self.usual is None:
            raise refuse("one_of", "needs `usual`: what is the limit of every day?", at="raise_to")
        if not self.usual < self.raise_to <= _MOST_TIMES * self.usual:
            raise refuse("clear", f"is not above `usual`, or above {_MOST_TIMES} times that", at="raise_to", see="usual")
        return self


class Conntrack(Area[ConntrackUse]):
    """`conntrack`: told before the firewall drops every new connection."""

    def checks(self, section: ConntrackUse, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at the table."""
        del settings
        yield ConntrackCheck(raised=section.raise_to, every_seconds=seconds_in(section.every))

    def remedies(self, section: ConntrackUse) -> Iterable[Remedy]:
        """Return what may be done about it."""
        if section.raise_to is not None:
            name = ConntrackCheck.TARGET.partition(":")[2]
            params = {"usual": section.usual, "raised": section.raise_to}
            yield "raise_conntrack_limit", name, params
            yield "restore_conntrack_limit", name, {**params, "above_percent": section.above}

    def rules(self, section: ConntrackUse, make: RuleMaker) -> Iterable[Rule]:
        """Return the rule about it, and the one that ends what it did."""
        raised_for = None if section.raise_to is None else section.raised_for
        return limit_rules(_LIMIT, section, raised_for, make)
