"""Files and directories that must be there, with a mode and an owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Literal

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.remedies import AGENT
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.path import PathCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Account, ActionReference, Line, OctalMode, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule, Rung

#: What did not help the second time is a person's: the file system does not change its mind.
_ATTEMPTS = 2

#: The same of thousands of paths; which one it is stands in what was seen.
_SUMMARY = "it is not as listed: missing, of another kind, or with another mode, owner or group"


class WatchedPath(Section):
    """One file or directory that must be there with exactly this mode, owner and group."""

    path: AbsolutePath = Field(description="what is looked at; links are not followed")
    kind: Literal["file", "directory"] = Field("file", description="file | directory; anything else there is a problem")
    mode: OctalMode = Field(description='permission bits, quoted octal like "0640"; restored to exactly this')
    owner: Account = Field(description="account that must own it, by name or number")
    group: Account = Field(description="group it must belong to, by name or number")
    create: bool = Field(False, description="true: make it if it is missing (directories only)")
    every: PositiveDuration = Field(
        timedelta(seconds=60), description="how often it is looked at; changes wake the engine at once"
    )
    on_failure: tuple[ActionReference, ...] | None = Field(
        None, description="not given: restore_permissions, and create_directory with `create`; empty list: only tell"
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _only_directories_are_made(self) -> WatchedPath:
        if self.create and self.kind != "directory":
            raise refuse("one_of", "is for directories: nobody knows what should be in a file", at="create")
        return self


class Paths(Area[Mapping[str, WatchedPath]]):
    """`paths`: made if they are missing, and given back their mode and owner."""

    def checks(self, section: Mapping[str, WatchedPath], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return one check for each."""
        del settings
        for name, watched in section.items():
            yield PathCheck(
                name,
                path=watched.path,
                expected_kind=watched.kind,
                mode=_bits(watched.mode),
                owner=watched.owner,
                group=watched.group,
                every_seconds=seconds_in(watched.every),
            )

    def remedies(self, section: Mapping[str, WatchedPath]) -> Iterable[Remedy]:
        """Return what makes and mends each."""
        for name, watched in section.items():
            access = {"path": watched.path, "mode": watched.mode, "owner": watched.owner, "group": watched.group}
            yield "restore_permissions", name, {**access, "kind": watched.kind}
            if watched.create:
                yield "create_directory", name, access

    def rules(self, section: Mapping[str, WatchedPath], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, watched in section.items():
            target = f"path:{name}"
            yield make.rule(
                name,
                target,
                StatusIs(f"path.{name}", target, seconds_in(watched.every, STALE_AFTER_SAMPLES), certain=True),
                at=f"paths.{name}",
                summary=_SUMMARY,
                severity=watched.severity,
                ladder=_ladder(name, watched, make),
                runbook=watched.runbook,
            )


def _ladder(name: str, watched: WatchedPath, make: RuleMaker) -> tuple[Rung, ...]:
    target, find = f"path:{name}", make.remedies.of
    if watched.on_failure is not None:
        at = f"agents.{AGENT}.paths.{name}.on_failure"
        return make.ladder(make.remedies.ladder(watched.on_failure, target=target, at=at), attempts=_ATTEMPTS)
    # Only one of the two can be planned at a time: what is missing has no mode, and what is there is not made.
    requests = make.unasked([find("create_directory", target), find("restore_permissions", target)])
    return make.ladder(requests, attempts=_ATTEMPTS)[:1]


@lru_cache(maxsize=256)
def _bits(mode: str) -> int:
    """Return a file mode as a number; the same object for the same mode."""
    return int(mode, 8)
