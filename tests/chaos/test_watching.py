"""When it became well, to the millisecond, and only if it stayed so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import inf

import pytest

from chaos.waiting import wait_until
from chaos.watching import Look, Watcher, recoveries, seconds_within, shown_at, until_it_holds


def looks(*states: tuple[float, bool]) -> list[Look]:
    return [Look(at, well) for at, well in states]


def test_a_recovery_is_seen_only_after_it_was_seen_broken() -> None:
    changes = looks((1.0, True), (5.1, False), (5.2, True), (5.9, False), (6.0, True))
    assert recoveries(changes, after=5.0) == (5.2, 6.0)
    assert recoveries(changes, after=5.5) == (6.0,)
    assert recoveries(looks((1.0, True), (6.0, True)), after=5.0) == (), "well, but never seen broken"


def test_a_fault_has_shown_once_no_look_finds_all_well_any_more() -> None:
    well, broken = Look(5.02, well=True, begun_at=5.01), Look(5.2, well=False, begun_at=5.03)
    assert shown_at([Look(1.0, well=True), well, broken], after=5.0) == 5.01, "not later than that is certain"
    assert shown_at([Look(1.0, well=True, begun_at=0.9), broken], after=5.0) == 5.0
    assert shown_at([Look(4.0, well=False), broken], after=5.0) == 5.0
    assert shown_at([Look(1.0, well=True), well], after=5.0) is None


def test_spans_that_overlap_count_once_and_only_within() -> None:
    assert seconds_within([(1.0, 3.0), (2.0, 5.0), (9.0, inf)], 2.5, 10.0) == pytest.approx(2.5 + 1.0)
    assert seconds_within([(0.0, 1.0)], 2.0, 3.0) == 0.0
    assert seconds_within([], 0.0, 3.0) == 0.0


def test_the_watcher_keeps_each_change_and_takes_no_answer_for_not_well() -> None:
    answers: Iterator[bool | None] = iter([True, True, None, False, True])
    last, asked = False, list[bool]()

    def look(*, was_well: bool = False) -> Look:
        nonlocal last
        asked.append(was_well)
        answer = next(answers, last)
        if answer is None:
            raise FileNotFoundError("half broken")
        last = answer
        return Look(time.monotonic(), answer)

    with Watcher(look) as watcher:
        wait_until(lambda: len(watcher.changes()) == 6, "three states and a last look", seconds=20)
        wait_until(lambda: len(asked) > 5, "one more look", seconds=20)
    first_and_last_of_each_state = [True, True, False, False, True, True]
    assert [change.well for change in watcher.changes()] == first_and_last_of_each_state
    assert asked[:6] == [False, True, True, False, False, True], "it looks closely where it was not well"


def test_what_was_well_already_counts_from_then_and_what_breaks_again_counts_anew() -> None:
    since = time.monotonic() - 1
    well = lambda: Look(time.monotonic(), well=True)  # noqa: E731
    held = until_it_holds(well, lambda: True, since=since, give_up=time.monotonic() + 5)
    assert held is not None
    assert held[0] == since

    outcomes = iter([False, True])
    held = until_it_holds(well, lambda: next(outcomes), since=since, give_up=time.monotonic() + 5)
    assert held is not None
    assert held[0] > since + 1
    broken = until_it_holds(lambda: Look(0.0, well=False), lambda: True, since=since, give_up=time.monotonic() + 0.05)
    assert broken is None
