"""Sets of logs with what was rotated from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.log_archives import LogArchivesCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, GlobPath, Line, PositiveDuration, Size
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.ports.log_archives import Packing
from zen_agents.rules.rule import Rule

#: What did not help the second time is a person's: what may go is gone.
_ATTEMPTS = 2


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class LogArchives(Section):
    """A set of logs: how long their archives are kept, how much room all of it may take, and how archives are packed."""

    paths: Annotated[
        tuple[GlobPath, ...], BeforeValidator(_listed, json_schema_input_type=GlobPath | list[GlobPath]), Field(min_length=1)
    ] = Field(description="the logs, not their archives: a path or several, with wildcards in the last component")
    older_than: PositiveDuration | None = Field(
        None, description="archives that were last written to before that go; empty: none goes by its age"
    )
    above: Annotated[Size, Field(ge=1)] | None = Field(
        None, description="room that logs and archives may take together; above, the oldest archives go; empty: any"
    )
    down_to: Annotated[Size, Field(ge=1)] | None = Field(None, description="size at which that stops")
    keep: Duration = Field(timedelta(days=1), description="archives that are younger than this stay, however much it is")
    compress: Packing | None = Field(None, description="gzip | zstd: archives that are not packed are; empty: they stay so")
    compress_after: Duration = Field(
        timedelta(hours=1), description="an archive is packed once nobody wrote to it for so long"
    )
    include_logrotate: bool = Field(
        False, description="true: archives of logs that the host's logrotate rotates as well; false: they are left to it"
    )
    every: PositiveDuration = Field(timedelta(minutes=5), description="how often its directories are looked at")
    severity: Severity = Field(Severity.INFO, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _meant(self) -> LogArchives:
        if self.older_than is None and self.above is None and self.compress is None:
            raise refuse("conflict", "asks for nothing: write `older_than`, `above` or `compress`")
        if (self.above is None) != (self.down_to is None):
            written, other = ("above", "down_to") if self.down_to is None else ("down_to", "above")
            raise refuse("conflict", f"says no `{other}`, which belongs to it", at=written)
        if self.above is not None and self.down_to is not None and self.down_to >= self.above:
            raise refuse("clear", "is not below `above`, so it would be pruned again and again", at="down_to", see="above")
        if self.older_than is not None and self.older_than < self.keep:
            raise refuse("clear", "is less than `keep`, within which every archive stays", at="older_than", see="keep")
        return self


class ArchivesOfLogs(Area[Mapping[str, LogArchives]]):
    """`log_archives`: pruned by age and by size, and packed."""

    def checks(self, section: Mapping[str, LogArchives], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at each set."""
        del settings
        for name, logs in section.items():
            yield LogArchivesCheck(
                name,
                paths=logs.paths,
                older_than_seconds=None if logs.older_than is None else seconds_in(logs.older_than),
                pack_after_seconds=None if logs.compress is None else seconds_in(logs.compress_after),
                every_seconds=seconds_in(logs.every),
            )

    def remedies(self, section: Mapping[str, LogArchives]) -> Iterable[Remedy]:
        """Return what may be done about each set."""
        for name, logs in section.items():
            of = {"paths": list(logs.paths), "include_logrotate": logs.include_logrotate}
            prune = {
                "keep_seconds": logs.keep.total_seconds(),
                "older_than_seconds": None if logs.older_than is None else logs.older_than.total_seconds(),
                "above_bytes": logs.above,
                "down_to_bytes": logs.down_to or 0,
            }
            if logs.older_than is not None or logs.above is not None:
                yield "prune_log_archives", name, {**of, **prune}
            if logs.compress is not None:
                pack = {"packing": logs.compress, "pack_after_seconds": logs.compress_after.total_seconds()}
                yield "compress_log_archives", name, {**of, **pack}

    def rules(self, section: Mapping[str, LogArchives], make: RuleMaker) -> Iterable[Rule]:
        """Return the rules about each set."""
        for name, logs in section.items():
            target, every = f"log_archives:{name}", seconds_in(logs.every)
            for label, observed, limit, action, summary in _asked(name, logs):
                yield make.rule(
                    label,
                    target,
                    now_above(f"log_archives.{name}.{observed}", target, limit, every),
                    at=f"log_archives.{name}",
                    summary=summary,
                    severity=logs.severity,
                    ladder=make.ladder(make.unasked([make.remedies.of(action, target)]), attempts=_ATTEMPTS),
                    runbook=logs.runbook,
                )


def _asked(name: str, logs: LogArchives) -> Iterator[tuple[str, str, float, str, str]]:
    """Yield what the section asks for: name of the rule, what is observed, its limit, the action, and the summary."""
    if logs.above is not None:
        yield name, "bytes", float(logs.above), "prune_log_archives", f"the logs of {name} take more room than they may"
    if logs.older_than is not None:
        yield f"{name}.old", "old_files", 0.0, "prune_log_archives", f"archives of the logs of {name} are past their age"
    if logs.compress is not None:
        yield f"{name}.plain", "plain_files", 0.0, "compress_log_archives", f"archives of the logs of {name} are not packed"
