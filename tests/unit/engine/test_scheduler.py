"""The scheduler: cron as cron means it, nothing twice at once, what is missed is told."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from zen_agents.agents.base import Schedule
from zen_agents.engine.scheduler import Scheduler, cron_trigger, trigger_of

UTC = ZoneInfo("UTC")
#: A Wednesday.
START = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "weekday"),
    [
        ("0 3 * * 0", "Sunday"),
        ("0 3 * * 7", "Sunday"),
        ("0 3 * * 1", "Monday"),
        ("0 3 * * sat", "Saturday"),
        ("0 3 * * 5-6", "Friday"),
    ],
)
def test_weekdays_are_those_of_cron(expression: str, weekday: str) -> None:
    at = cron_trigger(expression, "UTC").get_next_fire_time(None, START)
    assert f"{at:%A %H:%M}" == f"{weekday} 03:00"


def test_a_step_over_weekdays_counts_from_sunday() -> None:
    trigger, days, at = cron_trigger("0 0 * * */2", "UTC"), [], START
    for _ in range(4):
        at = trigger.get_next_fire_time(at, at)
        days.append(f"{at:%a}")
        at = at.replace(hour=1)
    assert days == ["Thu", "Sat", "Sun", "Tue"]


def test_the_time_zone_counts_on_both_sides_of_a_switch() -> None:
    trigger = cron_trigger("30 3 * * *", "Europe/Berlin")
    winter = trigger.get_next_fire_time(None, datetime(2026, 3, 28, 0, 0, tzinfo=UTC))
    summer = trigger.get_next_fire_time(None, datetime(2026, 3, 29, 12, 0, tzinfo=UTC))
    assert (winter.astimezone(UTC).hour, summer.astimezone(UTC).hour) == (2, 1)


@pytest.mark.parametrize("expression", ["0 3 * *", "0 3 * * 8", "0 3 * * someday", "61 3 * * *", "x"])
def test_what_is_no_cron_expression_is_a_value_error(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cron_trigger(expression, "UTC")


def test_an_interval_has_its_jitter() -> None:
    assert trigger_of(Schedule(every_seconds=300.0, jitter_seconds=30.0)).jitter == 30


async def test_a_job_runs_and_never_twice_at_once() -> None:
    missed: set[str] = set()
    began, gate, skipped, most = asyncio.Event(), asyncio.Event(), asyncio.Event(), [0, 0]

    def on_missed(name: str) -> None:
        missed.add(name)
        skipped.set()

    scheduler = Scheduler(on_missed)

    async def slow() -> None:
        most[0] += 1
        most[1] = max(most[1], most[0])
        began.set()
        await gate.wait()
        most[0] -= 1

    scheduler.start()
    scheduler.put("slow", Schedule(every_seconds=1.0), slow)
    async with asyncio.timeout(30):
        await began.wait()
        await skipped.wait()
    gate.set()
    scheduler.stop()
    assert most[1] == 1
    assert missed == {"slow"}


async def test_a_job_can_be_replaced_and_dropped() -> None:
    scheduler = Scheduler(lambda name: None)

    async def nothing() -> None: ...

    scheduler.start()
    scheduler.put("one", Schedule(every_seconds=60.0), nothing)
    scheduler.put("one", Schedule(cron="0 3 * * *", timezone="Europe/Berlin"), nothing)
    assert scheduler.names() == ["one"]
    assert scheduler.next_run("one").hour == 3
    scheduler.drop("one")
    scheduler.drop("one")
    assert scheduler.names() == []
    scheduler.stop()
