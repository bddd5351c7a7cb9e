"""What is known of a clock that was set back, and what it says of a moment before or after."""

from __future__ import annotations

from zen_agents.clock import Anchor, BackSteps

DAY = 86400.0


def at(boottime: float, wall: float) -> Anchor:
    return Anchor("boot", boottime, wall, boottime)


def test_a_clock_that_runs_or_was_set_forward_says_of_each_moment_what_it_shows_today() -> None:
    steps = BackSteps(at(100, 1000))
    steps.note(at(110, 1009.5))
    assert steps.latest(50) == 949.5
    steps.note(at(120, 1020 + DAY))
    assert steps.latest(50) == 950 + DAY


def test_what_was_before_a_step_back_was_later_and_what_came_after_is_beside_all_that_was_shown_before() -> None:
    steps = BackSteps(at(100, 1000))
    steps.note(at(110, 1010 - DAY))
    assert steps.latest(50) == 950
    assert steps.latest(105) == 1010, "nobody saw whether it was before the step"
    assert steps.latest(115) == 1010
    steps.note(at(100 + 2 * DAY, 1000 + DAY))
    assert steps.latest(99 + 2 * DAY) == 999 + DAY


def test_many_steps_are_taken_together_and_make_nothing_earlier_than_it_was() -> None:
    steps = BackSteps(at(0, 0))
    for number in range(1, 201):
        steps.note(at(number * 10, number * 10 - number * 5))
    assert steps.latest(-1) == -1
    assert all(steps.latest(booted) >= booted - booted // 10 * 5 for booted in range(0, 2000, 7))


def test_a_time_that_the_clock_has_not_come_to_is_of_before_it_was_set_back() -> None:
    steps = BackSteps(at(100, 1000))
    assert (steps.age(990), steps.age(1010)) == (10, -10)
    steps.note(at(110, 1010 - DAY))
    assert steps.age(990) == 20
    assert steps.age(1000 - DAY) == 10, "of after the step, for all that is known"
    assert steps.age(1020) == -10, "of neither"
    steps.note(at(120, 1020 - 3 * DAY))
    assert steps.age(1005 - DAY) == 15, "between the two"
    assert steps.age(990) == 30


def test_steps_that_were_taken_together_explain_nothing() -> None:
    steps = BackSteps(at(0, 0))
    for number in range(1, 201):
        steps.note(at(number * 10, number * 10 - number * 5))
    assert steps.age(1100) == 0
    assert steps.age(1500) < 0
