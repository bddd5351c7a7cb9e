from __future__ import annotations

from tests.support.ruling import rule, rung
from zen_agents.rules.ladder import after_failure, is_exhausted, rung_at


def test_four_attempts_in_all_then_the_next_rung() -> None:
    two = rule(ladder=(rung(), rung(attempts=2)))
    position, visited = (0, 0), []
    while not is_exhausted(two, position[0]):
        visited.append(position)
        position = after_failure(two, *position)

    assert visited == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]
    assert position == (2, 0)


def test_a_ladder_that_a_reload_made_shorter_is_exhausted() -> None:
    short = rule()

    assert rung_at(short, 3) is None
    assert rung_at(short, -1) is None
    assert is_exhausted(short, 3)
    assert after_failure(short, 3, 1) == (1, 0)


def test_a_rung_without_attempts_is_tried_once() -> None:
    assert after_failure(rule(ladder=(rung(attempts=0),)), 0, 0) == (1, 0)
