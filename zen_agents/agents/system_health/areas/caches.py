"""Directories whose content can be had again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.cache import CacheCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Line, PositiveDuration, Size
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule

#: What did not help the second time is a person's: the file system does not change its mind.
_ATTEMPTS = 2


class CacheDirectory(Section):
    """One directory whose content can be had again; the oldest files go first."""

    path: AbsolutePath = Field(description="the directory; links and mounts below it are left alone")
    above: Size = Field(description="size of all files in it from which it is cleared")
    down_to: Size = Field(description="size at which clearing stops")
    every: PositiveDuration = Field(timedelta(minutes=10), description="how often it is walked; a walk costs I/O")
    severity: Severity = Field(Severity.INFO, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _ordered(self) -> CacheDirectory:
        if self.down_to >= self.above:
            raise refuse("clear", "is not below `above`, so it would be cleared again and again", at="down_to", see="above")
        return self


class Caches(Area[Mapping[str, CacheDirectory]]):
    """`caches`: cleared when they have grown, the oldest first."""

    def checks(self, section: Mapping[str, CacheDirectory], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each."""
        del settings
        for name, cache in section.items():
            yield CacheCheck(name, path=cache.path, enough_bytes=cache.above, every_seconds=seconds_in(cache.every))

    def remedies(self, section: Mapping[str, CacheDirectory]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, cache in section.items():
            yield "clear_cache", name, {"path": cache.path, "down_to_bytes": cache.down_to}

    def rules(self, section: Mapping[str, CacheDirectory], make: RuleMaker) -> Iterable[Rule]:
        """Return the rules about each."""
        for name, cache in section.items():
            target = f"cache:{name}"
            yield make.rule(
                name,
                target,
                now_above(f"cache.{name}.bytes", target, float(cache.above), seconds_in(cache.every)),
                at=f"caches.{name}",
                summary=f"{cache.path} has grown too large",
                severity=cache.severity,
                ladder=make.ladder(make.unasked([make.remedies.of("clear_cache", target)]), attempts=_ATTEMPTS),
                runbook=cache.runbook,
            )
