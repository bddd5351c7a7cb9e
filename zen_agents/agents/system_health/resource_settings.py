"""Settings of what system_health keeps in order on disk: paths, temporary directories, logs and caches."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from zen_agents.model.scalars import (
    AbsolutePath,
    Account,
    ActionReference,
    Duration,
    GlobPath,
    Line,
    OctalMode,
    Percent,
    PositiveDuration,
    Size,
    at_least,
    refuse,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity


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
