"""Log files of one writer each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.log import DeletedLogCheck, LogCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import (
    GlobPath,
    Line,
    PositiveDuration,
    Size,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule

#: Deleted but open files below this size (bytes) are left alone.
_WORTH_TRUNCATING = 2**20
#: What did not help the second time is a person's: the file system does not change its mind.
_ATTEMPTS = 2


class LogFiles(Section):
    """Log files of one writer, rotated here unless the host's logrotate already does it."""

    path: GlobPath = Field(description="file, or a pattern in the last component like /var/log/app/*.log")
    rotate_at: Annotated[Size, Field(ge=1)] = Field(50 * 2**20, description="size of one file from which it is rotated")
    keep: Annotated[int, Field(ge=1, le=1000)] = Field(5, description="how many rotated files of each are kept")
    compress: bool = Field(True, description="gzip rotated files")
    copy_truncate: Literal["auto", "always", "never"] = Field(
        "auto", description="copy and truncate instead of renaming: auto does so where the writer keeps the file open"
    )
    deleted_above: Annotated[Size, Field(ge=1)] = Field(
        100 * 2**20, description="bytes that a deleted but still open log of this path may hold before it is truncated"
    )
    every: PositiveDuration = Field(timedelta(minutes=1), description="how often sizes are looked at")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Logs(Area[Mapping[str, LogFiles]]):
    """`logs`: rotated, and deleted ones that still take room truncated."""

    def checks(self, section: Mapping[str, LogFiles], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each."""
        del settings
        for name, log in section.items():
            every = seconds_in(log.every)
            yield LogCheck(name, pattern=log.path, every_seconds=every)
            yield DeletedLogCheck(name, pattern=log.path, every_seconds=DeletedLogCheck.rhythm(every))

    def remedies(self, section: Mapping[str, LogFiles]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, log in section.items():
            params = {
                "path": log.path,
                "rotate_at_bytes": log.rotate_at,
                "keep": log.keep,
                "compress": log.compress,
                "copy_truncate": log.copy_truncate,
            }
            yield "rotate_logs", name, params
            # Many small ones may add up to the limit as well.
            least = min(log.deleted_above, _WORTH_TRUNCATING)
            yield "truncate_deleted_log", name, {"path": log.path, "at_least_bytes": least}

    def rules(self, section: Mapping[str, LogFiles], make: RuleMaker) -> Iterable[Rule]:
        """Return the rules about each."""
        for name, log in section.items():
            target, every = f"log:{name}", seconds_in(log.every)
            deleted_every = DeletedLogCheck.rhythm(every)
            table = (
                (name, f"log.{name}.largest_bytes", log.rotate_at, every, "rotate_logs", f"{log.path} is to be rotated"),
                (f"{name}.deleted", f"log.{name}.deleted_bytes", log.deleted_above, deleted_every, "truncate_deleted_log",
                 f"deleted files of {log.path} still take room because somebody holds them open"),
            )  # fmt: skip
            for label, observation, limit, rhythm, action, summary in table:
                yield make.rule(
                    label,
                    target,
                    now_above(observation, target, float(limit), rhythm),
                    at=f"logs.{name}",
                    summary=summary,
                    severity=log.severity,
                    ladder=make.ladder(make.unasked([make.remedies.of(action, target)]), attempts=_ATTEMPTS),
                    runbook=log.runbook,
                )
