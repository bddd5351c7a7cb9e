"""Directories of temporary files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.temp_dir import TempDirCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Duration, Line, Percent, PositiveDuration, at_least
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import AllOf
from zen_agents.rules.rule import Condition, Rule

#: What did not help the second time is a person's: the file system does not change its mind.
_ATTEMPTS = 2


class TempDirectory(Section):
    """One directory of temporary files; what is old enough may be deleted."""

    path: AbsolutePath = Field(description="the directory; links and mounts below it are left alone")
    older_than: Annotated[Duration, at_least(timedelta(minutes=1))] = Field(
        timedelta(days=7),
        description="age from which a file may go: its newest of access, change and modification",
    )
    above: Percent | None = Field(
        None,
        description="clean only while its file system, bytes or inodes, is fuller than this; empty: whenever files are old",
    )
    down_to: Percent | None = Field(None, description="stop when its file system is this full; empty: all old files go")
    every: PositiveDuration = Field(timedelta(minutes=5), description="how often it is walked; a walk costs I/O")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _ordered(self) -> TempDirectory:
        if self.down_to is not None and self.above is not None and self.down_to >= self.above:
            raise refuse("clear", f"is {self.down_to:g}%, not below `above: {self.above:g}%`", at="down_to", see="above")
        return self


class TempDirectories(Area[Mapping[str, TempDirectory]]):
    """`temp_dirs`: cleaned of what nobody used for long."""

    def checks(self, section: Mapping[str, TempDirectory], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each."""
        del settings
        for name, directory in section.items():
            older, every = seconds_in(directory.older_than), seconds_in(directory.every)
            yield TempDirCheck(name, path=directory.path, older_than_seconds=older, every_seconds=every)

    def remedies(self, section: Mapping[str, TempDirectory]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, directory in section.items():
            params = {
                "path": directory.path,
                "older_than_seconds": directory.older_than.total_seconds(),
                "down_to_percent": directory.down_to,
                "above_percent": directory.above,
            }
            yield "clean_temp_files", name, params

    def rules(self, section: Mapping[str, TempDirectory], make: RuleMaker) -> Iterable[Rule]:
        """Return the rules about each."""
        for name, directory in section.items():
            target = f"temp_dir:{name}"
            yield make.rule(
                name,
                target,
                _is_to_clean(name, directory),
                at=f"temp_dirs.{name}",
                summary=f"{directory.path} has old files that may go",
                severity=directory.severity,
                ladder=make.ladder(make.unasked([make.remedies.of("clean_temp_files", target)]), attempts=_ATTEMPTS),
                runbook=directory.runbook,
            )


def _is_to_clean(name: str, directory: TempDirectory) -> Condition:
    """There are old files, and (if a limit is given) the file system is too full; without old files nothing can be done."""
    target, every = f"temp_dir:{name}", seconds_in(directory.every)
    stale = now_above(f"temp_dir.{name}.stale_files", target, 0.0, every)
    limit = directory.above if directory.above is not None else directory.down_to
    if limit is None:
        return stale
    return AllOf((now_above(f"temp_dir.{name}.percent", target, limit, every), stale))
