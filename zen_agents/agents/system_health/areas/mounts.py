"""File systems that must be there and writable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.mount import MountCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import (
    AbsolutePath,
    ActionReference,
    Line,
    PositiveDuration,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule


class WritableMount(Section):
    """One file system that must be mounted and must be writable."""

    path: AbsolutePath = Field(description="its mount point")
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often the table of mounts is looked at")
    on_failure: tuple[ActionReference, ...] | None = Field(
        None, description="not given: remount_read_write, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.CRITICAL, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Mounts(Area[Mapping[str, WritableMount]]):
    """`mounts`: written to again, if the kernel has met no error."""

    def checks(self, section: Mapping[str, WritableMount], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each."""
        del settings
        for name, mount in section.items():
            yield MountCheck(name, path=mount.path, every_seconds=seconds_in(mount.every))

    def remedies(self, section: Mapping[str, WritableMount]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, mount in section.items():
            yield "remount_read_write", name, {"path": mount.path}

    def rules(self, section: Mapping[str, WritableMount], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, mount in section.items():
            target, at = f"mount:{name}", f"mounts.{name}"
            yield make.rule(
                name,
                target,
                StatusIs(f"mount.{name}", target, seconds_in(mount.every, STALE_AFTER_SAMPLES), certain=True),
                at=at,
                summary=f"{mount.path} cannot be written to",
                severity=mount.severity,
                # Once each: a disk that was made read-only again has a reason.
                ladder=make.ladder_or(
                    "remount_read_write", mount.on_failure, target=target, at=f"{at}.on_failure", attempts=1
                ),
                runbook=mount.runbook,
            )
