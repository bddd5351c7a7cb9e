"""Baselines: files that must hold what was declared for them, but for what was deployed a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.deployments import deployers
from zen_agents.agents.system_health.areas.drifting import drift_rule
from zen_agents.agents.system_health.areas.tested import refuse_bad_test
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.drift import DriftCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Account, ActionReference, Duration, Line, PositiveDuration, UnitName
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule


class Baseline(Section):
    """One file whose content is declared in another one."""

    path: AbsolutePath = Field(description="the managed file; a link in its place is a problem, and is never replaced")
    declared: AbsolutePath = Field(
        description="the file that says what it should hold; only trusted if others than its owner (as root: than root) "
        "cannot write it"
    )
    unit: UnitName | None = Field(
        None, description="the unit whose file it is: systemd reads it again (daemon-reload); nothing is restarted"
    )
    test: tuple[Line, ...] | None = Field(
        None,
        description="argument list that must pass before declared content is put there; CANDIDATE stands for a file with it",
    )
    test_user: Account | None = Field(None, description="account that `test` runs as; required when the engine runs as root")
    every: PositiveDuration = Field(
        timedelta(seconds=60), description="how often it is looked at; changes wake the engine at once"
    )
    held_for: Duration = Field(
        timedelta(seconds=30),
        alias="for",
        description="how long it must differ before it counts; a deployment says only afterwards that it was one",
    )
    on_failure: tuple[ActionReference, ...] | None = Field(
        None, description="not given: restore_file if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _can_be_done(self) -> Baseline:
        if self.declared == self.path:
            raise refuse("conflict", "is the managed file itself, so it could never differ", at="declared", see="path")
        refuse_bad_test(self.test, self.test_user, at="test")
        return self


class Baselines(Area[Mapping[str, Baseline]]):
    """`baselines`: given the declared content back."""

    def checks(self, section: Mapping[str, Baseline], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return one check for each."""
        known = deployers(settings.deployments)
        for name, baseline in section.items():
            yield DriftCheck(
                name,
                path=baseline.path,
                declared=baseline.declared,
                unit=baseline.unit or "",
                deployers=known,
                every_seconds=seconds_in(baseline.every),
            )

    def remedies(self, section: Mapping[str, Baseline]) -> Iterable[Remedy]:
        """Return what restores each."""
        for name, baseline in section.items():
            test = {"run": list(baseline.test), "user": baseline.test_user or ""} if baseline.test else None
            params = {"path": baseline.path, "declared": baseline.declared, "test": test, "unit": baseline.unit or ""}
            yield "restore_file", name, params

    def rules(self, section: Mapping[str, Baseline], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, baseline in section.items():
            yield drift_rule(
                name, baseline, make, section="baselines", target=f"baseline:{name}", observed=f"drift.{name}",
                what=baseline.path, remedy="restore_file",
            )  # fmt: skip
