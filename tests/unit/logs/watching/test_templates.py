"""What is told of the kinds of lines of a source, and for how long: over weeks, restarts and lines that came late."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import pytest

from zen_agents.logs.formats.json_lines import JsonLines
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.templates import CHANGED_FOR, NEW_FOR, TemplateStudy
from zen_agents.logs.watching.told import MOST_CHARACTERS, MOST_NAMED, Told

HOUR, WEEK, MONDAY = 3600.0, 604_800.0, 1_799_020_800.0
QUIET = (False, False, False)


def study(now: float, saved: dict[str, Any] | None = None, learn: float = WEEK) -> TemplateStudy:
    return TemplateStudy(Plain(), UTC, learn, now, saved or {})


def again(before: TemplateStudy, now: float) -> TemplateStudy:
    return study(now, json.loads(json.dumps(before.saved())))


def raised(told: Sequence[Told]) -> tuple[bool, ...]:
    return tuple(each.is_raised for each in told)


def at_hour(source: TemplateStudy, at: float, *, times: int = 20, backup: bool = True) -> Sequence[Told]:
    source.feed(b"took 5 ms\n" * times + b"backup done\n" * backup, at)
    return source.told(at, is_behind=False)


@pytest.fixture(scope="module")
def usual() -> dict[str, Any]:
    """Return what is remembered after three weeks that were all alike."""
    source = study(MONDAY)
    for hour in range(3 * 168):
        assert raised(at_hour(source, MONDAY + hour * HOUR)) == QUIET
    return source.saved()


AFTER = MONDAY + 3 * WEEK


def test_while_it_learns_nothing_is_new_and_it_says_how_long_it_will() -> None:
    source = study(MONDAY)
    source.feed(b"never seen\n", MONDAY + 1)
    (new, *_) = source.told(MONDAY + 1, is_behind=False)
    assert (new.is_raised, new.detail) == (False, "1 kind of lines so far, learning for 6 d 23 h more")


def test_a_new_kind_is_told_for_an_hour_with_its_line_and_once_only() -> None:
    source = study(MONDAY, learn=1.0)
    source.feed(b"took 5 ms\n", MONDAY)
    source.feed(b"took 7 ms\nsegfault at 0x7f\nsegfault at 0x80\n", MONDAY + 2)
    source = again(source, MONDAY + 3)
    (new, *_) = source.told(MONDAY + 3, is_behind=False)
    assert (new.is_raised, new.value, new.facts) == (True, 1.0, {"line 1": "segfault at 0x7f"})
    assert new.detail == "a new kind of line: segfault at 0x7f"
    source.feed(b"segfault at 0x90\n", MONDAY + NEW_FOR)
    assert raised(source.told(MONDAY + 2 + NEW_FOR, is_behind=False)) == QUIET


def test_a_burst_is_told_while_it_lasts(usual: dict[str, Any]) -> None:
    source = study(AFTER, usual)
    (_, _, burst) = at_hour(source, AFTER, times=500)
    assert burst.is_raised
    assert burst.detail == "more often than usual: 500 within this hour, 20 are usual: took 5 ms"
    source = again(source, AFTER + 1)
    assert source.told(AFTER + 1, is_behind=False)[2].is_raised
    at_hour(source, AFTER + HOUR)
    assert raised(at_hour(source, AFTER + 2 * HOUR)) == QUIET


def test_what_does_not_come_any_more_is_told_until_it_is_back_and_no_longer_than_a_day(usual: dict[str, Any]) -> None:
    source = study(AFTER, usual)
    hours = [at_hour(source, AFTER + hour * HOUR, backup=False)[1] for hour in range(40)]
    (first, *rest) = [hour for hour, told in enumerate(hours) if told.is_raised]
    assert hours[first].detail == "no longer comes: 1 an hour are usual: backup done"
    assert len(rest) + 1 == CHANGED_FOR / HOUR

    back = study(AFTER, usual)
    assert any(at_hour(back, AFTER + hour * HOUR, backup=False)[1].is_raised for hour in range(first + 1))
    assert raised(at_hour(back, AFTER + (first + 1) * HOUR)) == QUIET


def test_what_is_known_of_each_kind_and_what_is_told_of_it(usual: dict[str, Any]) -> None:
    source = study(AFTER, usual, learn=1.0)
    for hour in range(30):
        at_hour(source, AFTER + hour * HOUR, backup=False)
    now = AFTER + 30 * HOUR
    source.feed(b"took 5 ms\n" * 500 + b"segfault at 0x7f\n", now)
    source.told(now, is_behind=False)
    known = {each.example: (each.told, each.usual and round(each.usual)) for each in again(source, now).kinds(now)}
    assert known == {"took 5 ms": ("burst", 20), "backup done": ("vanished", 1), "segfault at 0x7f": ("new", None)}


def test_what_was_written_while_nobody_listened_is_no_burst_of_now(usual: dict[str, Any]) -> None:
    source = study(AFTER + 9 * HOUR, usual)
    for number in range(3):
        source.feed(b"took 5 ms\n" * 400, AFTER + 9 * HOUR)
        assert raised(source.told(AFTER + 9 * HOUR, is_behind=number < 2)) == QUIET
    source.feed(b"took 5 ms\n" * 400, AFTER + 9 * HOUR + 10)
    assert source.told(AFTER + 9 * HOUR + 10, is_behind=False)[2].is_raised


def test_of_structured_lines_the_message_is_the_kind() -> None:
    source = TemplateStudy(JsonLines(""), UTC, 1.0, MONDAY, {})
    source.feed(b'{"message": "took 5 ms", "n": 1}\n', MONDAY)
    source.feed(b'{"n": 2, "more": [], "message": "took 6 ms"}\n{"message": "gave up\\non it"}\n\n', MONDAY + 2)
    assert source.told(MONDAY + 2, is_behind=False)[0].detail == "a new kind of line: gave up on it"


def test_an_attacker_who_writes_ever_new_lines_fills_no_memory() -> None:
    source = study(MONDAY, learn=1.0)
    words = [
        f"{'abcdefghij'[number // 1000]}{number:05d}".translate(str.maketrans("0123456789", "klmnopqrst"))
        for number in range(5000)
    ]
    source.feed("".join(f"{word} {'x' * 4000}\n" for word in words).encode(), MONDAY + 2)
    told = source.told(MONDAY + 2, is_behind=False)[0]
    assert told.value == 100
    assert len(told.facts) == MOST_NAMED
    assert all(len(line) <= MOST_CHARACTERS for line in told.facts.values())
    assert len(json.dumps(source.saved())) < 8_000_000


@pytest.mark.parametrize(
    "saved", [{"watch": 3, "new": 7, "asked_at": "x"}, {"watch": {}, "new": [["a", "b", "c"], [1, 2, 3], ["x", 1.0, 5], 4]}]
)
def test_what_cannot_have_been_saved_is_left_out(saved: dict[str, Any]) -> None:
    assert raised(study(MONDAY, saved).told(MONDAY, is_behind=False)) == QUIET
