"""Windows go by the calendar of their own zone, on both days on which clocks are set as well."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.guarding import NOW, by_alice, policy, question
from zen_agents.actions.base import ActionPolicy
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.guards.base import MaintenanceWindow
from zen_agents.guards.maintenance import Maintenance
from zen_agents.guards.pipeline import assess
from zen_agents.guards.windows import forbids, permits
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling
from zen_agents.ports.store import Brake

BERLIN = ZoneInfo("Europe/Berlin")


def window(
    start: str, hours: float, *days: str, zone: str = "Europe/Berlin", effect: str = "no_actions"
) -> MaintenanceWindow:
    return MaintenanceWindow(
        "nightly", time.fromisoformat(start), hours * 3600, frozenset(days), zone, effect, "zen.yaml:30:5"
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def asked(store: SqliteStore, at: datetime, *windows: MaintenanceWindow, only_in: str | None = None, **changes):
    allowed = {"restart_service": ActionPolicy(only_in=only_in)}
    written = {"actions.allow.restart_service": "zen.yaml:9:5", "actions.allow.restart_service.only_in": "zen.yaml:40:7"}
    rules = policy(maintenance=windows, allowed=allowed, origins=written)
    return question(store, now=Instant(at, NOW.steady), policy=rules, **changes)


def test_refuses_inside_and_says_until_when(store: SqliteStore) -> None:
    # 18 March 2026 is a Wednesday; Berlin is an hour ahead.
    answer = Maintenance().assess(asked(store, utc("2026-03-18T00:45:00"), window("01:30", 1, "wed")))
    assert (answer.reason, answer.origin) == (Reason.MAINTENANCE, "zen.yaml:30:5")
    assert answer.until == NOW.steady + 45 * 60
    assert answer.value == "nightly (no_actions), 45m left"


@pytest.mark.parametrize("at", ["2026-03-18T00:29:59", "2026-03-18T01:30:00", "2026-03-19T00:45:00"])
def test_allows_before_after_and_on_other_days(store: SqliteStore, at: str) -> None:
    assert Maintenance().assess(asked(store, utc(at), window("01:30", 1, "wed"))).value == "none active"


@pytest.mark.parametrize(("effect", "ruling"), [("observe", Ruling.DENY), ("no_alerts", Ruling.ALLOW)])
def test_what_the_effect_says_counts(store: SqliteStore, effect: str, ruling: Ruling) -> None:
    answer = Maintenance().assess(asked(store, utc("2026-03-18T00:45:00"), window("01:30", 1, effect=effect)))
    assert answer.ruling is ruling


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (window("01:30", 1, effect="no_action"), "maintenance window nightly has the unknown effect 'no_action'"),
        (window("01:30", 1, "wednesday"), "maintenance window nightly names the unknown day wednesday"),
        (window("01:30", 1, "wed", "weekend", "weekly"), "maintenance window nightly names the unknown day weekend"),
        (window("01:30", 1, zone="Europe/Atlantis"), "No time zone found with key Europe/Atlantis"),
    ],
)
def test_a_window_nobody_understands_refuses_everyone_at_any_time(
    store: SqliteStore, broken: MaintenanceWindow, said: str
) -> None:
    for request in (None, by_alice("maintenance")):
        verdict = assess(asked(store, utc("2026-03-18T12:00:00"), broken, request=request), [Maintenance()])
        assert verdict.reason is Reason.GUARD_ERROR
        assert verdict.answers[0].value.endswith(said) or said in verdict.answers[0].value


def test_a_window_over_midnight_belongs_to_the_day_it_began() -> None:
    over_midnight = window("23:00", 3, "sat")
    assert forbids(over_midnight, utc("2026-03-22T00:59:59"))  # Sunday 01:59 in Berlin
    assert not forbids(over_midnight, utc("2026-03-22T01:00:00"))
    assert not forbids(over_midnight, utc("2026-03-21T00:30:00"))  # Saturday 01:30: Friday has no window


def test_a_window_of_a_whole_week_is_always_open() -> None:
    week = window("00:00", 7 * 24, "mon")
    assert all(forbids(week, utc("2026-03-16T00:00:00") + timedelta(hours=7 * hours)) for hours in range(24))


def test_spring_an_hour_that_does_not_come_forbids_over_the_gap() -> None:
    # 29 March 2026: 02:00 CET is followed by 03:00 CEST, which is 01:00 UTC.
    gap = window("02:30", 1)
    assert forbids(gap, utc("2026-03-29T01:00:00"))
    assert forbids(gap, utc("2026-03-29T01:29:59"))
    assert forbids(gap, utc("2026-03-29T02:29:59")), "an hour of elapsed time"
    assert not forbids(gap, utc("2026-03-29T02:30:00"))
    assert not forbids(gap, utc("2026-03-29T00:29:59"))


def test_spring_a_window_that_began_before_the_switch_lasts_by_both_readings() -> None:
    # From 01:30 CET for two hours: 02:30 UTC by elapsed time, 03:30 CEST = 01:30 UTC by the clock on the wall.
    night = window("01:30", 2)
    assert forbids(night, utc("2026-03-29T02:29:59"))
    assert not forbids(night, utc("2026-03-29T02:30:00"))
    assert permits(night, utc("2026-03-29T01:29:59"))
    assert not permits(night, utc("2026-03-29T01:30:00"))


def test_autumn_an_hour_that_comes_twice_forbids_both_times() -> None:
    # 25 October 2026: 03:00 CEST is followed by 02:00 CET, which is 01:00 UTC.
    twice = window("02:00", 1)
    assert not forbids(twice, utc("2026-10-24T23:59:59"))
    for at in ("2026-10-25T00:00:00", "2026-10-25T00:59:59", "2026-10-25T01:30:00", "2026-10-25T01:59:59"):
        assert forbids(twice, utc(at)), at
    assert not forbids(twice, utc("2026-10-25T02:00:00"))


def test_autumn_a_permitting_window_in_the_doubled_hour_is_not_used_that_night() -> None:
    twice = window("02:00", 1)
    minutes = [utc("2026-10-24T23:00:00") + timedelta(minutes=m) for m in range(300)]
    assert not any(permits(twice, at) for at in minutes)
    assert permits(twice, utc("2026-10-26T01:30:00"))


def test_only_in_acts_inside_its_window_alone(store: SqliteStore) -> None:
    weekend = replace(window("04:00", 2, "sun", effect="no_alerts"), name="weekend")
    inside = Maintenance().assess(asked(store, utc("2026-03-22T03:30:00"), weekend, only_in="weekend"))
    outside = Maintenance().assess(asked(store, utc("2026-03-22T05:00:00"), weekend, only_in="weekend"))
    assert (inside.ruling, inside.value, inside.origin) == (Ruling.ALLOW, "inside weekend", "zen.yaml:40:7")
    assert (outside.reason, outside.origin) == (Reason.MAINTENANCE, "zen.yaml:40:7")
    assert outside.value == "only in weekend, which is not open"


def test_any_window_of_the_name_will_do(store: SqliteStore) -> None:
    sunday, monday = (replace(window("04:00", 2, day, effect="no_alerts"), name="weekend") for day in ("sun", "mon"))
    other = window("00:00", 24, effect="no_alerts")
    for at, said in (
        ("2026-03-23T03:30:00", "inside weekend"),
        ("2026-03-24T03:30:00", "only in weekend, which is not open"),
    ):
        assert Maintenance().assess(asked(store, utc(at), other, sunday, monday, only_in="weekend")).value == said


@pytest.mark.parametrize(
    ("effect", "ruling"), [("no_actions", Ruling.DENY), ("observe", Ruling.DENY), ("no_alerts", Ruling.ALLOW)]
)
def test_one_that_a_person_started_counts_as_long_as_it_lasts(store: SqliteStore, effect: str, ruling: Ruling) -> None:
    store.set_brake(Brake(f"maintenance_{effect}", "window:disks", "new disks", "alice", NOW, NOW.steady + 600))
    answer = Maintenance().assess(asked(store, NOW.wall))
    assert answer.ruling is ruling
    if ruling is Ruling.DENY:
        assert (answer.value, answer.until) == (f"disks ({effect}) by alice, 10m left", NOW.steady + 600)
    store.set_brake(Brake(f"maintenance_{effect}", "window:disks", "new disks", "alice", NOW, NOW.steady))
    assert Maintenance().assess(asked(store, NOW.wall)).value == "none active"


def test_one_whose_effect_nobody_knows_forbids(store: SqliteStore) -> None:
    store.set_brake(Brake("maintenance_odd", "window:disks", "", "alice", NOW, NOW.steady + 600))
    assert Maintenance().assess(asked(store, NOW.wall)).reason is Reason.MAINTENANCE


def test_of_several_that_forbid_the_last_to_close_is_told(store: SqliteStore) -> None:
    short = replace(window("01:00", 1), name="short")
    long, middle = replace(window("01:15", 3), name="long"), replace(window("01:10", 2), name="middle")
    answer = Maintenance().assess(asked(store, utc("2026-03-18T00:45:00"), short, long, middle))
    assert answer.value == "long (no_actions), 2h30m left"
    twin = replace(long, name="twin")
    both = Maintenance().assess(asked(store, utc("2026-03-18T00:45:00"), short, long, twin))
    assert both.value == "long (no_actions), 2h30m left"


def test_only_in_a_window_that_does_not_exist_never_acts(store: SqliteStore) -> None:
    nightly = window("00:00", 24, effect="no_alerts")
    answer = Maintenance().assess(asked(store, utc("2026-03-22T03:30:00"), nightly, only_in="weekend"))
    assert (answer.reason, answer.origin) == (Reason.MAINTENANCE, "zen.yaml:40:7")
    assert answer.value == "only in weekend, and there is no such window"


def test_where_the_action_is_written_is_told_where_its_only_in_is_not(store: SqliteStore) -> None:
    asked_for = asked(store, utc("2026-03-22T03:30:00"), only_in="weekend")
    whole = replace(asked_for.policy, origins={"actions.allow.restart_service": "zen.yaml:9:5"})
    assert Maintenance().assess(replace(asked_for, policy=whole)).origin == "zen.yaml:9:5"


def test_an_action_that_is_not_listed_is_kept_for_no_window(store: SqliteStore) -> None:
    written = policy(allowed={}, origins={"maintenance": "zen.yaml:29:1"})
    answer = Maintenance().assess(question(store, policy=written))
    assert answer == Answer("maintenance", Ruling.ALLOW, None, "none active", "zen.yaml:29:1")


def test_a_person_passes_a_window(store: SqliteStore) -> None:
    inside = asked(store, utc("2026-03-18T00:45:00"), window("01:30", 1), request=by_alice())
    assert assess(inside, [Maintenance()]).ruling is Ruling.ALLOW


MOMENTS = st.integers(0, 365 * 86400).map(lambda seconds: utc("2026-01-01T00:00:00") + timedelta(seconds=seconds))
ZONES = st.sampled_from(["Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(at=MOMENTS, start=st.times(), hours=st.floats(0.1, 168), zone=ZONES)
def test_what_permits_beyond_doubt_also_forbids(at: datetime, start: time, hours: float, zone: str) -> None:
    one = MaintenanceWindow("w", start, hours * 3600, frozenset(), zone, "no_actions")
    end = forbids(one, at)
    assert not permits(one, at) or end is not None
    assert end is None or end > at


@given(day=st.integers(0, 364), start=st.times(), minutes=st.integers(1, 24 * 60), share=st.floats(0, 0.999))
def test_every_day_every_moment_of_elapsed_time_is_forbidden(day: int, start: time, minutes: int, share: float) -> None:
    begins = datetime.combine(date(2026, 1, 1) + timedelta(days=day), start, tzinfo=BERLIN).astimezone(UTC)
    one = MaintenanceWindow("w", start, minutes * 60.0, frozenset(), "Europe/Berlin", "no_actions")
    assert forbids(one, begins + share * timedelta(minutes=minutes))


@pytest.mark.parametrize(("at", "open_"), [("00:29:59", False), ("00:30:00", True), ("01:29:59", True), ("01:30:00", False)])
def test_a_permitting_window_is_open_from_its_first_moment_to_before_its_last(at: str, open_: bool) -> None:
    assert permits(window("01:30", 1), utc(f"2026-03-18T{at}")) is open_


def test_a_start_that_midnight_skips_may_mean_the_evening_before() -> None:
    # Beirut, 29 March 2026: 00:00 EET is followed by 01:00 EEST. By the clock to come, 00:15 is 23:15 of Saturday.
    skipped = window("00:15", 1, "sun", zone="Asia/Beirut")
    assert not forbids(skipped, utc("2026-03-28T21:14:59"))
    assert forbids(skipped, utc("2026-03-28T21:15:00"))
    assert forbids(skipped, utc("2026-03-28T23:14:59"))
    assert not forbids(skipped, utc("2026-03-28T23:15:00"))


def test_nearly_two_days_that_lose_an_hour_reach_into_the_fourth() -> None:
    # From Friday 23:59 for 47:59; the clock skips an hour on Sunday, so they end on Monday at 00:58.
    long = window("23:59", 47 + 59 / 60, "fri", zone="America/New_York")
    assert forbids(long, utc("2026-03-09T04:57:59"))
    assert not forbids(long, utc("2026-03-09T04:58:00"))
