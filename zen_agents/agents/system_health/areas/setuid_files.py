"""Directories in which a program that lends rights to whoever starts it is told at once, unless it is listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.setuid_files import SetuidFilesCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import AbsolutePath, ActionReference, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule


class SetuidDirectory(Section):
    """One directory, with all below it on the same file system."""

    path: AbsolutePath = Field(description="the directory")
    known: tuple[AbsolutePath, ...] = Field((), description="files below it that may be setuid or setgid")
    every: PositiveDuration = Field(
        timedelta(minutes=5), description="how often all below it is looked at; a change of itself wakes the engine at once"
    )
    on_failure: tuple[ActionReference, ...] | None = Field(
        None, description="not given: quarantine_setuid, after a yes, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.CRITICAL, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class SetuidFilesBelow(Area[Mapping[str, SetuidDirectory]]):
    """`setuid_files`: told at once, and moved into the quarantine once somebody agreed."""

    def checks(self, section: Mapping[str, SetuidDirectory], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return one check for each."""
        del settings
        for name, below in section.items():
            yield SetuidFilesCheck(name, path=below.path, known=below.known, every_seconds=seconds_in(below.every))

    def remedies(self, section: Mapping[str, SetuidDirectory]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, below in section.items():
            yield "quarantine_setuid", name, {"path": below.path, "known": list(below.known)}

    def rules(self, section: Mapping[str, SetuidDirectory], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, below in section.items():
            target, at = f"setuid_files:{name}", f"setuid_files.{name}"
            yield make.rule(
                name,
                target,
                StatusIs(f"setuid_files.{name}", target, seconds_in(below.every, STALE_AFTER_SAMPLES), certain=True),
                at=at,
                summary=f"a program below {below.path} that nobody listed lends its rights to whoever starts it",
                severity=below.severity,
                # Once: what comes back was put there again, and whoever did is still on the host.
                ladder=make.ladder_or(
                    "quarantine_setuid", below.on_failure, target=target, at=f"{at}.on_failure", attempts=1
                ),
                runbook=below.runbook,
            )
