"""Which incidents belong together: about the same thing and near, or one after the other more often than chance."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.state import an_incident
from zen_agents.clock import Instant
from zen_agents.model.incident import Incident
from zen_agents.rules.correlation import FOLLOWS_SECONDS, followed, habit_in_words, is_near, own_keys, sharing

DAY = 86_400.0
START = Instant(datetime(2026, 11, 21, tzinfo=UTC), 0.0)


def incident(id: str, at: float, *, ended: float | None = None, target: str = "source:auth") -> Incident:
    over = None if ended is None else START.after(ended)
    return replace(an_incident(id, START.after(at), target=target), opened_at=START.after(at), resolved_at=over)


def test_what_follows_each_time_is_a_habit_and_says_how_often() -> None:
    databases = [number * DAY for number in range(5)]
    habit = followed(databases, [at + 60 for at in databases], 5 * DAY)
    assert (habit.times, habit.of, habit.is_certain) == (5, 5, True)
    assert habit_in_words(habit) == "came 5 of 5 times within 5 min after"


def test_the_order_counts() -> None:
    first = [number * DAY for number in range(5)]
    assert followed([at + 60 for at in first], first, 5 * DAY).times == 0


@pytest.mark.parametrize("times", [0, 1, 2])
def test_few_times_are_none(times: int) -> None:
    at = [number * DAY for number in range(times)]
    assert not followed(at, [each + 1 for each in at], 30 * DAY).is_certain


def test_what_is_always_there_explains_nothing() -> None:
    noise = [number * 400.0 for number in range(200)]
    assert not followed(noise, [at + 5 for at in noise[::20]], noise[-1]).is_certain


def test_a_burst_is_one_event() -> None:
    once = [1000.0 + number for number in range(50)]
    assert followed([999.0], once, DAY).of == 1
    assert not followed([999.0], once, DAY).is_certain


def test_independent_incidents_hardly_ever_look_like_a_habit() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(400):
        one, other = (sorted(chance.uniform(0, 30 * DAY) for _ in range(40)) for _ in range(2))
        found += followed(one, other, 30 * DAY).is_certain
    assert found <= 1


def test_what_is_about_the_same_and_near_belongs_together() -> None:
    web, ssh, far = incident("inc-w", 0, ended=60), incident("inc-s", 600), incident("inc-f", 60 + 3601)
    about = {each.id: {("address", "203.0.113.5"), ("user", each.id)} for each in (web, ssh, far)}
    (related,) = sharing(about, web, [web, ssh, far])
    assert (related.incident, related.why) == (ssh, "the same address 203.0.113.5")
    assert related.shared == (("address", "203.0.113.5"),)
    assert not is_near(far, web)
    assert is_near(incident("inc-o", 0), far)


def test_a_target_is_a_key_but_the_host_and_a_whole_log_are_none() -> None:
    assert own_keys(incident("a", 0, target="service:web"), ()) == {("target", "web")}
    assert own_keys(incident("b", 0, target="host"), ()) == frozenset()
    assert own_keys(incident("c", 0), [("user", "bob")]) == {("user", "bob")}


def test_a_long_history_is_judged_by_its_latest_part() -> None:
    many = [number * (2 * FOLLOWS_SECONDS) for number in range(5000)]
    assert followed(many, many, many[-1]).of <= 500
