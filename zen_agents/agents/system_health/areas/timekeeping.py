"""The clock: who says what time it is, and which daemon keeps it right."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.clock_offset import ClockOffsetProbe, TimeDaemonCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, HostPort, Line, PositiveDuration, UnitName, at_least
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, Beyond, Either, StatusIs
from zen_agents.rules.rule import Hold, Rule

_TARGET = "clock:system"
_ATTEMPTS = 2


class TimeSettings(Section):
    """How far the clock may be off, and what keeps it right. It is never stepped: services that run would see time jump."""

    servers: Annotated[tuple[HostPort, ...], Field(max_length=8)] = Field(
        (), description="time servers to ask, as HOST:PORT (NTP is port 123); three outvote one that is wrong"
    )
    offset_above: Annotated[Duration, at_least(timedelta(milliseconds=1))] = Field(
        timedelta(milliseconds=100), description="by how much the clock may be off, ahead or behind"
    )
    held_for: Duration = Field(timedelta(minutes=5), alias="for", description="how long it must be off by more")
    daemon: UnitName | None = Field(None, description="systemd unit that keeps the clock right, like chrony.service")
    every: PositiveDuration = Field(timedelta(minutes=1), description="how often servers and systemd are asked")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _asks_somebody(self) -> TimeSettings:
        if not self.servers and self.daemon is None:
            raise refuse("one_of", "needs `servers`, `daemon` or both; else nobody says what time it is")
        return self


class Timekeeping(Area[TimeSettings]):
    """`time`: people are told of a clock that is off; a dead daemon is restarted if that steps nothing."""

    def checks(self, section: TimeSettings, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what asks the servers, and systemd for the daemon."""
        del settings
        every = seconds_in(section.every)
        if section.servers:
            yield ClockOffsetProbe(servers=section.servers, every_seconds=every, answer_within_seconds=3.0)
        if section.daemon is not None:
            yield TimeDaemonCheck(unit=section.daemon, every_seconds=every)

    def remedies(self, section: TimeSettings) -> Iterable[Remedy]:
        """Return what may be done about the daemon."""
        if section.daemon is not None:
            yield "restart_time_daemon", "system", {"unit": section.daemon, "servers": list(section.servers)}

    def rules(self, section: TimeSettings, make: RuleMaker) -> Iterable[Rule]:
        """Return the rule about the offset, which only tells, and the one about the daemon."""
        if section.servers:
            yield _about_offset(section, make)
        if section.daemon is not None:
            yield make.rule(
                "clock.daemon",
                _TARGET,
                StatusIs("clock.daemon", _TARGET, seconds_in(section.every, STALE_AFTER_SAMPLES), certain=True),
                at="time",
                summary=f"{section.daemon} does not run, so the clock drifts",
                severity=section.severity,
                ladder=make.ladder(make.unasked([make.remedies.of("restart_time_daemon", _TARGET)]), attempts=_ATTEMPTS),
                runbook=section.runbook,
            )


def _about_offset(section: TimeSettings, make: RuleMaker) -> Rule:
    limit, every = section.offset_above.total_seconds(), seconds_in(section.every)
    ahead = Beyond("clock.offset", _TARGET, limit, window_seconds=0.0, sample_seconds=every)
    behind = Beyond("clock.offset", _TARGET, -limit, window_seconds=0.0, sample_seconds=every, direction="below")
    return make.rule(
        "clock.offset",
        _TARGET,
        Either((ahead, behind)),
        at="time",
        summary="the clock is off; it is never stepped while services run",
        severity=section.severity,
        hold=Hold(held_for_seconds=seconds_in(section.held_for)),
        runbook=section.runbook,
    )
