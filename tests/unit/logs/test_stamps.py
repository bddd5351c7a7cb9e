"""A time stamp is believed as far as it can be true, and one without a year is of the latest year that fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from zen_agents.logs.stamps import Stamps


def _read(text: str, now: datetime, zone: timezone = UTC) -> datetime | None:
    at = Stamps(now.timestamp(), zone).read(text)
    return datetime.fromtimestamp(at, UTC) if at is not None else None


@pytest.mark.parametrize(
    ("text", "now", "said"),
    [
        ("Dec 31 23:59:59", datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Jan  1 00:00:20", datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC), datetime(2027, 1, 1, 0, 0, 20, tzinfo=UTC)),
        ("Mar  4 10:00:00", datetime(2026, 11, 27, tzinfo=UTC), datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("Dec  4 10:00:00", datetime(2026, 11, 27, tzinfo=UTC), datetime(2025, 12, 4, 10, tzinfo=UTC)),
        ("Feb 29 10:00:00", datetime(2026, 11, 27, tzinfo=UTC), datetime(2024, 2, 29, 10, tzinfo=UTC)),
        ("Feb 30 10:00:00", datetime(2026, 11, 27, tzinfo=UTC), None),
    ],
)
def test_a_stamp_without_a_year(text: str, now: datetime, said: datetime | None) -> None:
    """It was written before it is read, a small difference of clocks aside."""
    assert _read(text, now) == said


def test_a_stamp_ahead_of_the_time_is_not_believed() -> None:
    """Neither that of a clock that is wrong nor one that somebody chose, with a year or without."""
    now = datetime(2026, 11, 27, 12, tzinfo=UTC)
    assert _read("2026-11-27T12:00:30Z", now) is not None
    for text in ("2026-11-27T12:02:00Z", "9999-12-31T23:59:59Z", "Nov 27 17:00:00", "4102444800", "1999999999999"):
        assert _read(text, now) is None


def test_a_stamp_without_a_zone_is_of_the_zone_that_is_given() -> None:
    """A stamp that names one is not."""
    now, zone = datetime(2026, 11, 27, 12, tzinfo=UTC), timezone(timedelta(hours=2))
    assert _read("2026-11-27 12:00:00", now, zone) == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert _read("2026-11-27 10:00:00 +0000", now, zone) == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert _read("Nov 27 12:00:00", now, zone) == datetime(2026, 11, 27, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1764244798", "1764244798000", "1764244798000000", "1764244798000000000", "1764244798.0"])
def test_a_number_is_what_its_size_tells(text: str) -> None:
    """Seconds, milli-, micro- and nanoseconds since the epoch are written."""
    assert _read(text, datetime(2026, 11, 27, tzinfo=UTC)) == datetime(2025, 11, 27, 11, 59, 58, tzinfo=UTC)


def test_a_leap_second_is_the_one_before_it() -> None:
    """No library knows it, and the line counts all the same."""
    now = datetime(2026, 11, 27, tzinfo=UTC)
    assert _read("2016-12-31T23:59:60Z", now) == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-45T99:99:99Z", "0001-01-01 00:00:00", "-5", "10/Oct/2000:13:55:36 +9999"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    """Nothing is raised, whatever it is."""
    assert _read(text, datetime(2026, 11, 27, tzinfo=UTC)) is None
