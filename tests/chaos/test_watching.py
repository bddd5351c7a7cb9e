"""When it became well, to the millisecond, and only if it stayed so."""

from __future__ import annotations

import time
from collections.abc import Iterator

from chaos.waiting import wait_until
from chaos.watching import Look, Watcher, recoveries, until_it_holds


def looks(*states: tuple[float, bool]) -> list[Look]:
    return [Look(at, well) for at, well in states]


def test_a_recovery_is_seen_only_after_it_was_seen_broken() -> None:
    changes = looks((1.0, True), (5.1, False), (5.2, True), (5.9, False), (6.0, True))
    assert recoveries(changes, after=5.0) == (5.2, 6.0)
    assert recoveries(changes, after=5.5) == (6.0,)
    assert recoveries(looks((1.0, True), (6.0, True)), after=5.0) == (), "well, but never seen broken"


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
        wait_until(lambda: len(watcher.changes()) == 3, "three states", seconds=20)
        wait_until(lambda: len(asked) > 5, "one more look", seconds=20)
    assert [change.well for change in watcher.changes()] == [True, False, True]
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
