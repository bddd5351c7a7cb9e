"""What is usual is learned for each hour of the week; what is not, is told, and nothing before it can be known."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from zen_agents.logs.mining.baseline import SeasonalBaseline
from zen_agents.logs.mining.rates import LEAST_BURST, Event, Rate, RateChange
from zen_agents.logs.mining.seasons import Hours

HOUR, DAY, WEEK = 3600, 86400, 604800
MONDAY = 4 * DAY  # 1970-01-05


def work_hours(hour: int) -> int:
    """How many lines an hour has: many on weekdays from 8 to 18, few at night and at the weekend."""
    return (200 if hour // 24 % 7 < 5 and 8 <= hour % 24 < 18 else 20) + hour * 7 % 5


def fed(hours: int, lines: Callable[[int], int] = work_hours) -> tuple[Rate, list[RateChange]]:
    rate, changes = Rate(MONDAY, Hours(UTC)), []
    for hour in range(hours):
        changes += rate.add(lines(hour), MONDAY + hour * HOUR)
    return rate, changes


def test_what_is_usual_makes_no_word_in_five_weeks() -> None:
    assert fed(5 * 168)[1] == []


def test_nothing_is_said_while_it_learns() -> None:
    _, changes = fed(3 * 24, lambda hour: 100_000 if hour == 60 else 10)
    assert changes == []


def test_a_burst_is_told_at_once_and_when_it_is_over() -> None:
    rate, _ = fed(3 * 168)
    at = MONDAY + 3 * WEEK
    assert rate.add(35, at) == []
    (burst,) = rate.add(85, at + 60)
    assert burst.event is Event.BURST and burst.lines == 120 and burst.usual is not None and burst.usual.of_week
    assert rate.add(5000, at + 120) == [] and rate.bursts
    assert rate.add(20, at + HOUR) == []
    assert [change.event for change in rate.add(20, at + 2 * HOUR)] == [Event.BURST_OVER]


def test_what_is_usual_by_day_is_a_burst_by_night() -> None:
    rate, _ = fed(3 * 168)
    noon, midnight = MONDAY + 3 * WEEK + 12 * HOUR, MONDAY + 3 * WEEK + 24 * HOUR
    for hour in range(12):
        rate.add(work_hours(hour), MONDAY + 3 * WEEK + hour * HOUR)
    assert rate.add(200, noon) == []
    for hour in range(13, 24):
        rate.add(work_hours(hour), MONDAY + 3 * WEEK + hour * HOUR)
    assert [change.event for change in rate.add(200, midnight)] == [Event.BURST]


def test_a_flood_does_not_become_usual() -> None:
    _, changes = fed(6 * 168, lambda hour: 5000 if hour >= 3 * 168 and hour % 168 == 12 else work_hours(hour))
    assert [change.event for change in changes].count(Event.BURST) == 3


def test_few_lines_are_no_burst_where_none_are_usual() -> None:
    rate, _ = fed(3 * 168, lambda hour: 0)
    assert rate.add(LEAST_BURST, MONDAY + 3 * WEEK) == []
    assert [change.event for change in rate.add(1, MONDAY + 3 * WEEK)] == [Event.BURST]


def test_a_kind_that_came_every_hour_has_vanished_after_some_and_comes_back() -> None:
    rate, changes = fed(3 * 168, lambda hour: 1)
    hour = 3 * 168
    while not rate.vanished:
        changes += rate.add(0, MONDAY + hour * HOUR)
        hour += 1
    assert [change.event for change in changes] == [Event.VANISHED]
    assert 6 <= hour - 3 * 168 <= 8
    assert [change.event for change in rate.add(1, MONDAY + hour * HOUR)] == [Event.CAME_BACK]


def test_a_kind_that_comes_now_and_then_does_not_vanish() -> None:
    _, changes = fed(8 * 168, lambda hour: int(hour * 2654435761 % 97 < 8) if hour < 4 * 168 else 0)
    assert changes == []


def test_hours_in_which_nobody_listened_are_neither_silence_nor_learned() -> None:
    rate, _ = fed(3 * 168, lambda hour: 50)
    assert rate.add(50, MONDAY + 5 * WEEK) == []
    assert not rate.vanished


def test_a_clock_that_goes_back_changes_nothing() -> None:
    rate, _ = fed(3 * 168)
    assert rate.add(1, MONDAY) == [] and rate.add(0, 0.0) == []


def test_a_restart_loses_nothing() -> None:
    kept, _ = fed(3 * 168)
    again = Rate.restored(json.loads(json.dumps(kept.saved())), MONDAY + 3 * WEEK - 1, Hours(UTC))
    for at, lines in ((0, 20), (60, 100), (HOUR, 20), (2 * HOUR, 20)):
        found = [(change.event, change.lines) for change in kept.add(lines, MONDAY + 3 * WEEK + at)]
        assert [(change.event, change.lines) for change in again.add(lines, MONDAY + 3 * WEEK + at)] == found


@pytest.mark.parametrize("baseline", [None, [], [[1, 1, 1]] * 191, [[1, 1, "x"]] * 192, [[1, -1, 9]] * 192])
def test_what_was_not_saved_by_it_is_learned_anew(baseline: object) -> None:
    rate = Rate.restored({"seconds": HOUR, "baseline": baseline, "missed": "x", "stretch": None}, MONDAY, Hours(UTC))
    assert rate.add(100_000, MONDAY) == [] and not rate.vanished
    other = Rate.restored({"seconds": 60, "bursts": True}, MONDAY, Hours(UTC))
    assert not other.bursts


@pytest.mark.parametrize("seconds", [0, -60, 7000, 7])
def test_an_hour_is_a_whole_number_of_stretches(seconds: int) -> None:
    with pytest.raises(ValueError, match="hour"):
        SeasonalBaseline(Hours(UTC), seconds)


def test_what_people_do_at_eight_is_usual_at_eight_also_once_summer_time_has_begun() -> None:
    zone = ZoneInfo("Europe/Berlin")
    begins = int(datetime(2027, 3, 1, tzinfo=zone).timestamp())
    in_berlin, in_utc = Rate(begins, Hours(zone)), Rate(begins, Hours(UTC))
    told: dict[str, list[RateChange]] = {"Berlin": [], "UTC": []}
    # Five weeks, of which the last begins with summer time, on the 28th.
    for at in range(begins, begins + 5 * WEEK, HOUR):
        local = datetime.fromtimestamp(at, zone)
        lines = work_hours(local.weekday() * 24 + local.hour)
        told["Berlin"] += in_berlin.add(lines, at)
        told["UTC"] += in_utc.add(lines, at)
    assert told["Berlin"] == []
    assert {change.event for change in told["UTC"]} == {Event.BURST, Event.BURST_OVER}
