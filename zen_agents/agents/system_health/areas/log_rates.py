"""Units that write to the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.log_rate import LogRateCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import ActionReference, Duration, Line, PositiveDuration, UnitName
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Hold, Rule

#: A limit that did not help does not help the second time; but a first one may have come to nothing, as where the engine was
#: killed in the middle of it.
_ATTEMPTS = 2


class LogRate(Section):
    """How fast one unit may write to the journal."""

    unit: UnitName = Field(description="systemd unit, with its ending")
    above: Annotated[int, Field(ge=1, le=10_000_000)] = Field(1000, description="lines a second that are a flood; no unit")
    limit_to: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        100, description="about so many lines a second are kept of it once it is limited; no unit"
    )
    held_for: Duration = Field(timedelta(seconds=30), alias="for", description="how long it must flood; a start may be loud")
    every: PositiveDuration = Field(timedelta(seconds=15), description="how often it is looked at")
    on_flood: tuple[ActionReference, ...] | None = Field(
        None, description="not given: limit_log_rate, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _ordered(self) -> LogRate:
        if self.limit_to >= self.above:
            raise refuse("clear", "is not below `above`, so a limit would not end the flood", at="limit_to", see="above")
        return self


class LogRates(Area[Mapping[str, LogRate]]):
    """`log_rates`: no unit pushes out what the others say."""

    def checks(self, section: Mapping[str, LogRate], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what counts the lines of each."""
        del settings
        for name, rate in section.items():
            yield LogRateCheck(name, unit=rate.unit, above=rate.above, every_seconds=seconds_in(rate.every))

    def remedies(self, section: Mapping[str, LogRate]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, rate in section.items():
            yield "limit_log_rate", name, {"unit": rate.unit, "lines_per_second": rate.limit_to}

    def rules(self, section: Mapping[str, LogRate], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, rate in section.items():
            target, at = f"log_rate:{name}", f"log_rates.{name}"
            yield make.rule(
                name,
                target,
                now_above(f"log_rate.{name}", target, float(rate.above), seconds_in(rate.every)),
                at=at,
                summary=f"{rate.unit} floods the journal, and what others say is pushed out of it",
                severity=rate.severity,
                hold=Hold(held_for_seconds=seconds_in(rate.held_for)),
                ladder=make.ladder_or(
                    "limit_log_rate", rate.on_flood, target=target, at=f"{at}.on_flood", attempts=_ATTEMPTS
                ),
                runbook=rate.runbook,
            )
