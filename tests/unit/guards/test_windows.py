"""What comes: the next openings of a window, one that is open first, and the windows that people started."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from tests.support.guarding import NOW
from zen_agents.guards.base import MaintenanceWindow
from zen_agents.guards.windows import OpenWindow, started, upcoming
from zen_agents.ports.store import Brake


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(start: str, hours: float, *days: str, zone: str = "UTC") -> MaintenanceWindow:
    return MaintenanceWindow("n", time.fromisoformat(start), hours * 3600, frozenset(days), zone, "no_actions")


def test_openings_over_the_night_in_which_an_hour_comes_twice() -> None:
    found = upcoming(window("02:30", 1, zone="Europe/Berlin"), utc("2026-10-24T01:00:00"), 3)

    assert found == [
        (utc("2026-10-24T00:30:00"), utc("2026-10-24T01:30:00")),  # open now
        (utc("2026-10-25T00:30:00"), utc("2026-10-25T02:30:00")),  # from its first reading to its last
        (utc("2026-10-26T01:30:00"), utc("2026-10-26T02:30:00")),
    ]


def test_a_weekly_window_comes_once_a_week_and_not_more_often_than_asked() -> None:
    sundays = ["2026-01-11", "2026-01-18", "2026-01-25"]

    for most in range(4):
        found = upcoming(window("04:00", 2, "sun"), utc("2026-01-10T00:00:00"), most)
        assert [begins.date().isoformat() for begins, _ in found] == sundays[:most]


def test_one_of_several_days_comes_on_each_of_them() -> None:
    found = upcoming(window("04:00", 2, "sun", "tue"), utc("2026-01-10T00:00:00"), 3)

    assert [begins.date().isoformat() for begins, _ in found] == ["2026-01-11", "2026-01-13", "2026-01-18"]


@pytest.mark.parametrize(
    ("at", "day"), [("2026-01-10T03:59:59", 10), ("2026-01-10T05:59:59", 10), ("2026-01-10T06:00:00", 11)]
)
def test_one_is_listed_up_to_before_its_last_moment(at: str, day: int) -> None:
    assert upcoming(window("04:00", 2), utc(at), 1) == [
        (datetime(2026, 1, day, 4, tzinfo=UTC), datetime(2026, 1, day, 6, tzinfo=UTC))
    ]


def test_all_that_are_open_are_listed_the_oldest_first() -> None:
    found = upcoming(window("00:00", 8 * 24, "mon"), utc("2026-01-12T12:00:00"), 3)

    assert found == [
        (utc("2026-01-05T00:00:00"), utc("2026-01-13T00:00:00")),
        (utc("2026-01-12T00:00:00"), utc("2026-01-20T00:00:00")),
        (utc("2026-01-19T00:00:00"), utc("2026-01-27T00:00:00")),
    ]


def test_nearly_two_days_that_lose_an_hour_are_open_on_the_fourth() -> None:
    # From Friday 23:59 for 47:59; the clock skips an hour on Sunday, so they end on Monday at 00:58.
    long = window("23:59", 47 + 59 / 60, "fri", zone="America/New_York")

    assert upcoming(long, utc("2026-03-09T04:57:59"), 1) == [(utc("2026-03-07T04:59:00"), utc("2026-03-09T04:58:00"))]


def test_a_window_that_a_person_started_says_whose_it_is_and_why_while_it_lasts() -> None:
    lasts = Brake("maintenance_observe", "window:disks", "new disks", "alice", NOW, NOW.steady + 600)
    over = Brake("maintenance_observe", "window:old", "old disks", "alice", NOW, NOW.steady)
    endless = Brake("maintenance_observe", "window:odd", "", "alice", NOW, None)
    other = Brake("pause", "host", "a look", "alice", NOW, NOW.steady + 600)

    assert started([over, endless, other, lasts], NOW.steady) == [
        OpenWindow("disks", "observe", NOW.steady + 600, "", "alice", "new disks")
    ]
