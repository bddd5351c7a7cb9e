"""Processes that may run away: slowed down, and ended only where a person allows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.agents.system_health.threshold_settings import Ladder
from zen_agents.checks.base import Check
from zen_agents.checks.runaway import RunawayCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Account, Line, PositiveDuration, Regex, UnitName, at_least
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.ports.process_pattern import ProcessPattern
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule

#: What did not help is followed by the next step; but a first attempt may have come to nothing.
_ATTEMPTS = 2
_SLOWS_DOWN = "renice_process"


class WatchedProcesses(Section):
    """Processes of one kind. A name is anybody's to take: with it goes the unit, or the program and the account."""

    match: Regex = Field(description="regular expression for the name, as `ps -o comm` shows it (15 characters)")
    unit: UnitName | None = Field(None, description="the systemd unit they belong to")
    executable: AbsolutePath | None = Field(None, description="their program, or the script that its interpreter runs")
    user: Account | None = Field(None, description="the account they run as")
    cpu: Annotated[float, Field(gt=0, le=100_000, description="percent of one CPU that is too much")] = 90.0
    held_for: Annotated[PositiveDuration, at_least(timedelta(seconds=1))] = Field(
        timedelta(minutes=10), alias="for", description="how long one and the same process must have been above it"
    )
    nice: Annotated[int, Field(ge=1, le=19)] = Field(
        10, description="niceness that renice_process gives it; then it takes what nobody else wants, and is well"
    )
    quota: Annotated[float, Field(gt=0, le=100_000, description="percent of one CPU that cap_cpu leaves to its unit")] = 50.0
    stop_timeout: PositiveDuration = Field(
        timedelta(seconds=10), description="how long it may take to end after TERM before KILL (kill_process)"
    )
    every: PositiveDuration = Field(
        timedelta(seconds=15), description="how often it is looked at; the process table is read once for all entries"
    )
    on_breach: Ladder = ()
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _says_whose(self) -> WatchedProcesses:
        if self.unit is None and (self.executable is None or self.user is None):
            raise refuse(
                "one_of", "stands alone, and anybody can take a name: add `unit`, or `executable` and `user`", at="match"
            )
        if self.quota >= self.cpu and any(step.partition(":")[0] == "cap_cpu" for step in self.on_breach):
            raise refuse("range", "is not below `cpu`, so a capped process would still be a runaway", at="quota", see="cpu")
        return self

    @property
    def pattern(self) -> ProcessPattern:
        """The processes that are meant."""
        return ProcessPattern(self.match, self.unit or "", self.executable or "", self.user or "")


class Processes(Area[Mapping[str, WatchedProcesses]]):
    """`processes`: those that run away."""

    def checks(self, section: Mapping[str, WatchedProcesses], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each kind."""
        del settings
        for name, watched in section.items():
            slows = any(step.partition(":")[0] == _SLOWS_DOWN for step in watched.on_breach)
            # One that was slowed down is left alone, unless a further step waits for it: then it has as long again.
            goes_on = slows and watched.on_breach[-1].partition(":")[0] != _SLOWS_DOWN
            yield RunawayCheck(
                name,
                watched.pattern,
                every_seconds=seconds_in(watched.every),
                percent=watched.cpu,
                for_seconds=seconds_in(watched.held_for),
                nice=watched.nice if slows else None,
                tolerated_seconds=seconds_in(watched.held_for, 2.0) if goes_on else None,
            )

    def remedies(self, section: Mapping[str, WatchedProcesses]) -> Iterable[Remedy]:
        """Return what may be done about each kind."""
        for name, watched in section.items():
            which = _which(watched)
            yield _SLOWS_DOWN, name, {**which, "nice": watched.nice}
            yield "cap_cpu", name, {**which, "quota_percent": watched.quota}
            yield "kill_process", name, {**which, "stop_timeout_seconds": seconds_in(watched.stop_timeout)}

    def rules(self, section: Mapping[str, WatchedProcesses], make: RuleMaker) -> Iterable[Rule]:
        """Return the rule about each kind."""
        for name, watched in section.items():
            target, held_for = f"process:{name}", seconds_in(watched.held_for)
            rule = make.rule(
                name,
                target,
                StatusIs(f"runaway.{name}", target, seconds_in(watched.every, STALE_AFTER_SAMPLES)),
                at=f"processes.{name}",
                summary=f"a process of {name} has used a CPU for too long",
                severity=watched.severity,
                ladder=make.named_ladder(
                    watched.on_breach, target=target, at=f"processes.{name}.on_breach", attempts=_ATTEMPTS
                ),
                runbook=watched.runbook,
            )
            # How long one was busy before the engine was there nobody can tell.
            patience = rule.unknown_patience_seconds + held_for
            yield replace(rule, unknown_patience_seconds=patience, known_after_seconds=held_for)


def _which(watched: WatchedProcesses) -> Mapping[str, Any]:
    return {
        "match": watched.match,
        "unit": watched.unit,
        "executable": watched.executable,
        "user": watched.user,
        "cpu_percent": watched.cpu,
        "for_seconds": seconds_in(watched.held_for),
    }
