from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.telling import a_message
from zen_agents.alerts.policy import AlertPolicy, NoAlertsWindow, QuietHours
from zen_agents.alerts.quiet import held_until, quiet_end, window_end
from zen_agents.clock import Instant
from zen_agents.model.message import MessageKind
from zen_agents.model.severity import Severity

QUIET = QuietHours(time(22), time(7), "Europe/Berlin")
POLICY = AlertPolicy(quiet_hours=QUIET)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-01-10T20:59:59", None),
        ("2026-01-10T21:00:00", "2026-01-11T06:00:00"),
        ("2026-01-11T05:59:59", "2026-01-11T06:00:00"),
        ("2026-01-11T06:00:00", None),
        # The night in which Berlin's clocks go forward: 07:00 there is 05:00 UTC, an hour sooner.
        ("2026-03-28T23:30:00", "2026-03-29T05:00:00"),
        # The night in which they go back: an hour later, and the doubled hour is quiet both times.
        ("2026-10-25T00:30:00", "2026-10-25T06:00:00"),
        ("2026-10-25T01:30:00", "2026-10-25T06:00:00"),
    ],
)
def test_quiet_hours_span_midnight_and_follow_the_local_clock(moment: str, end: str | None) -> None:
    assert quiet_end(QUIET, utc(moment)) == (utc(end) if end else None)


def test_a_warning_waits_and_a_critical_one_does_not() -> None:
    night = Instant(utc("2026-01-10T23:00:00"), 500.0)

    assert held_until(a_message(severity=Severity.WARNING), POLICY, night) == 500.0 + 7 * 3600
    assert held_until(a_message(severity=Severity.CRITICAL), POLICY, night) == 500.0
    assert held_until(a_message(severity=Severity.WARNING, urgent=True), POLICY, night) == 500.0
    assert held_until(a_message(kind=MessageKind.CHANGE, severity=Severity.INFO), POLICY, night) == 500.0


def test_critical_passes_even_when_page_only_names_others() -> None:
    policy = AlertPolicy(quiet_hours=QuietHours(time(22), time(7), page_only=frozenset({Severity.ERROR})))
    night = Instant(utc("2026-01-10T23:00:00"), 0.0)

    assert held_until(a_message(severity=Severity.CRITICAL), policy, night) == 0.0
    assert held_until(a_message(severity=Severity.ERROR), policy, night) == 0.0
    assert held_until(a_message(severity=Severity.WARNING), policy, night) > 0.0


def test_a_window_holds_all_but_the_urgent_until_its_end() -> None:
    window = NoAlertsWindow("weekend", time(4), 7200.0, frozenset({"sun"}), "Europe/Berlin")
    policy = AlertPolicy(no_alerts=(window,))
    sunday = Instant(utc("2026-01-11T03:30:00"), 0.0)

    assert held_until(a_message(), policy, sunday) == 5400.0
    assert held_until(a_message(urgent=True), policy, sunday) == 0.0
    assert held_until(a_message(), policy, Instant(utc("2026-01-12T03:30:00"), 0.0)) == 0.0


@pytest.mark.parametrize(
    ("moment", "left_seconds"),
    [
        # Clocks go forward at 01:00 UTC: two hours from 01:30 there are two hours that pass.
        ("2026-03-29T00:30:00", 7200.0),
        ("2026-03-29T02:29:59", 1.0),
        # Clocks go back at 01:00 UTC: 01:30 there is 23:30 UTC, before the hour that comes twice.
        ("2026-10-25T01:29:59", 1.0),
        ("2026-10-25T01:30:00", 0.0),
    ],
)
def test_a_window_over_the_setting_of_clocks_holds_as_long_as_it_says_and_never_the_urgent(
    moment: str, left_seconds: float
) -> None:
    window = NoAlertsWindow("nightly", time(1, 30), 7200.0, timezone="Europe/Berlin")
    policy, now = AlertPolicy(no_alerts=(window,)), Instant(utc(moment), 0.0)

    assert held_until(a_message(), policy, now) == left_seconds
    assert held_until(a_message(urgent=True), policy, now) == 0.0


def test_a_window_that_a_person_started_holds_like_one_of_the_calendar() -> None:
    noon = Instant(utc("2026-01-10T12:00:00"), 100.0)

    assert held_until(a_message(), AlertPolicy(), noon, muted_until=700.0) == 700.0
    assert held_until(a_message(), AlertPolicy(), noon, muted_until=50.0) == 100.0
    assert held_until(a_message(urgent=True), AlertPolicy(), noon, muted_until=700.0) == 100.0


def test_a_window_longer_than_a_day_is_still_open_on_the_next() -> None:
    window = NoAlertsWindow("move", time(12), 30 * 3600.0, frozenset({"fri"}))

    assert window_end(window, utc("2026-01-10T17:00:00")) == utc("2026-01-10T18:00:00")
    assert window_end(window, utc("2026-01-10T18:00:00")) is None


@given(
    start=st.times(),
    end=st.times(),
    seconds=st.integers(0, 15 * 366 * 86400),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Nowhere/AtAll"]),
)
def test_nothing_is_held_longer_than_a_day_nor_into_the_past(start: time, end: time, seconds: int, zone: str) -> None:
    moment = utc("2020-01-01T00:00:00") + timedelta(seconds=seconds)
    found = quiet_end(QuietHours(start, end, zone), moment)

    assert found is None or timedelta(0) < found - moment <= timedelta(hours=25)
