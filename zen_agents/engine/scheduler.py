"""APScheduler, with jobs in memory and rebuilt from the configuration, never pickled.

Late runs are coalesced into one, a job never runs twice at once, and what was missed is counted and told.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from zen_agents.agents.base import Schedule

log = logging.getLogger("zen_agents.scheduler")


def trigger_of(schedule: Schedule) -> BaseTrigger:
    """Return the APScheduler trigger of a schedule, with its jitter and time zone."""
    jitter = round(schedule.jitter_seconds) or None
    if schedule.cron is not None:
        return cron_trigger(schedule.cron, schedule.timezone, jitter=jitter)
    seconds = schedule.every_seconds or 300.0
    return IntervalTrigger(seconds=max(1, round(seconds)), jitter=jitter, timezone=ZoneInfo("UTC"))


def cron_trigger(expression: str, timezone: str, *, jitter: int | None = None) -> CronTrigger:
    """Return the trigger of a five-field crontab expression; ValueError says what is wrong with it.

    Weekdays are cron's (0 and 7 are Sunday): APScheduler counts from Monday and would run everything a day late.
    """
    fields = expression.split()
    if len(fields) != 5:
        raise ValueError(f"a cron expression has 5 fields, this has {len(fields)}")
    minute, hour, day, month, weekday = fields
    return CronTrigger(
        minute=minute, hour=hour, day=day, month=month, day_of_week=_weekdays(weekday), timezone=ZoneInfo(timezone),
        jitter=jitter,
    )  # fmt: skip


_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weekdays(field: str) -> str:
    if field == "*":
        return field
    return ",".join(dict.fromkeys(name for part in field.lower().split(",") for name in _weekday_range(part)))


def _weekday_range(part: str) -> list[str]:
    span, _, step = part.partition("/")
    first, _, last = ("0", "-", "6") if span == "*" else span.partition("-")
    low, high = _weekday_number(first), _weekday_number(last or ("6" if step else first))
    if high < low:
        high += 7
    return [_WEEKDAYS[number % 7] for number in range(low, high + 1, int(step or 1))]


def _weekday_number(text: str) -> int:
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if text.isdigit() and int(text) <= 7:
        return int(text)
    raise ValueError(f"{text!r} is no weekday: 0 to 7 (0 and 7 are Sunday) or sun to sat")


class Scheduler:
    """Runs coroutines on schedules within the running loop."""

    def __init__(self, missed: Callable[[str], None]) -> None:
        #: Called with a job's name each time one of its runs was missed or skipped.
        self._missed = missed
        self._scheduler = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            timezone=ZoneInfo("UTC"),
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._on_missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._on_error, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Start in the running loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing more; who called drained its own tasks first, for APScheduler cancels running coroutines."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def put(self, name: str, schedule: Schedule, run: Callable[[], Awaitable[Any]]) -> None:
        """Add or replace a job."""
        self._scheduler.add_job(
            run, trigger_of(schedule), id=name, replace_existing=True, misfire_grace_time=_grace(schedule)
        )

    def drop(self, name: str) -> None:
        """Remove a job if it is there."""
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)

    def names(self) -> list[str]:
        """Return the names of all jobs."""
        return [job.id for job in self._scheduler.get_jobs()]

    def next_run(self, name: str) -> Any:
        """Return when a job runs next as an aware datetime, None if it does not."""
        job = self._scheduler.get_job(name)
        return job.next_run_time if job else None

    def _on_missed(self, event: JobEvent) -> None:
        log.warning("a run of %s was missed", event.job_id)
        self._missed(event.job_id)

    def _on_error(self, event: Any) -> None:
        log.error("%s failed: %s", event.job_id, event.exception)


def _grace(schedule: Schedule) -> int | None:
    """Return how late a run may start: an interval's run within its interval, a calendar's run however late."""
    if schedule.cron is not None or schedule.every_seconds is None:
        return None
    return max(1, int(timedelta(seconds=schedule.every_seconds).total_seconds()))
