"""Jobs that somebody else begins: cron, a timer, a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.job import JobCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import (
    AbsolutePath,
    Account,
    ActionReference,
    Duration,
    Line,
    PositiveDuration,
    Regex,
    at_least,
)
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.ports.host_runs import Runs
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule

#: A run that did not end the second time is a person's.
_ATTEMPTS = 2
#: A lock is looked at twice: its holder may just be about to remove it.
_LOOKS = 2


class Job(Section):
    """One job whose runs come to an end: begun by cron, a timer or a person."""

    executable: AbsolutePath = Field(
        description="its program, or the script that an interpreter runs; the real path, no link"
    )
    user: Account = Field(description="account that it runs as; a process of another account is none of its runs")
    match: Regex = Field("", description="what its command line must contain as well, where one program does many jobs")
    max_age: Annotated[Duration, at_least(timedelta(seconds=1))] = Field(
        description="how long a run may take, and how long it may keep others waiting"
    )
    keep: Annotated[int, Field(ge=0, le=100)] = Field(
        1, description="so many runs are never ended: with 1, a run that keeps nobody waiting is only told of"
    )
    lock: AbsolutePath | None = Field(
        None, description="file with the pid of the run that is under way; moved away once its holder is gone"
    )
    stop_timeout: PositiveDuration = Field(timedelta(seconds=10), description="how long it may take to end after TERM")
    every: PositiveDuration = Field(timedelta(minutes=1), description="how often it is looked for in the process table")
    on_stuck: tuple[ActionReference, ...] | None = Field(
        None, description="not given: end_stuck_job, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Jobs(Area[Mapping[str, Job]]):
    """`jobs`: their runs come to an end, and no lock of a dead one is left."""

    def checks(self, section: Mapping[str, Job], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks for the runs of each."""
        del settings
        for name, job in section.items():
            yield JobCheck(
                name,
                Runs(job.executable, job.user, job.match),
                max_age_seconds=seconds_in(job.max_age),
                lock=job.lock or "",
                every_seconds=seconds_in(job.every),
            )

    def remedies(self, section: Mapping[str, Job]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, job in section.items():
            params = {
                "executable": job.executable,
                "user": job.user,
                "match": job.match,
                "max_age_seconds": job.max_age.total_seconds(),
                "keep": job.keep,
                "stop_timeout_seconds": job.stop_timeout.total_seconds(),
            }
            yield "end_stuck_job", name, params
            if job.lock is not None:
                yield "clear_stale_lock", name, {"path": job.lock, "executable": job.executable}

    def rules(self, section: Mapping[str, Job], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule about the runs of each, and one about its lock."""
        for name, job in section.items():
            yield _about_runs(name, job, make)
            if job.lock is not None:
                yield _about_lock(name, job, make)


def _about_runs(name: str, job: Job, make: RuleMaker) -> Rule:
    target, at = f"job:{name}", f"jobs.{name}"
    return make.rule(
        name,
        target,
        StatusIs(f"job.{name}", target, seconds_in(job.every, STALE_AFTER_SAMPLES), certain=True),
        at=at,
        summary=f"a run of {name} does not come to an end",
        severity=job.severity,
        ladder=make.ladder_or("end_stuck_job", job.on_stuck, target=target, at=f"{at}.on_stuck", attempts=_ATTEMPTS),
        runbook=job.runbook,
    )


def _about_lock(name: str, job: Job, make: RuleMaker) -> Rule:
    target = f"job:{name}"
    return make.rule(
        f"{name}.lock",
        target,
        StatusIs(f"job.{name}.lock", target, seconds_in(job.every, STALE_AFTER_SAMPLES)),
        at=f"jobs.{name}",
        summary=f"{job.lock} is held by nobody, and no run of {name} begins",
        severity=job.severity,
        hold=Hold(fail_after=_LOOKS),
        ladder=make.ladder(make.unasked([make.remedies.of("clear_stale_lock", target)]), attempts=_ATTEMPTS),
        runbook=job.runbook,
    )
