"""Different values within a time: each counts once however often it comes, for each key apart, and memory is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.detection.distinct import Distinct, DistinctRule
from zen_agents.logs.detection.found import Change

RULE = DistinctRule("user", 3, 60.0, ("address",))


def line(user: str, address: str = "a") -> dict[str, str]:
    return {"user": user, "address": address}


def changes(of: Distinct, *hits: tuple[str, float], address: str = "a") -> list[Change]:
    return [found.change for user, at in hits for found in of.hit(line(user, address), at)]


def test_many_values_are_found_and_one_many_times_is_not() -> None:
    of = Distinct(RULE)
    assert changes(of, *(("bob", float(at)) for at in range(50))) == []
    assert changes(of, ("eve", 50.0), ("bob", 51.0), ("mallory", 52.0), ("trent", 53.0)) == [Change.RAISED]
    assert of.raised == {("a",): 50.0}
    assert of.latest(("a",)) == 53.0


def test_values_of_another_key_or_too_far_apart_do_not_count_together() -> None:
    of = Distinct(RULE)
    assert changes(of, ("bob", 0.0), ("eve", 1.0)) + changes(of, ("mallory", 2.0), address="b") == []
    assert changes(of, ("mallory", 61.5)) == []
    assert of.hit({"user": "x"}, 62.0) == of.hit({"address": "a"}, 62.0) == []
    assert of.without_key == 2


def test_it_is_over_once_fewer_are_within_the_time() -> None:
    of = Distinct(DistinctRule("user", 3, 60.0, ("address",), clear_below=2))
    changes(of, ("a", 0.0), ("b", 10.0), ("c", 20.0))
    assert of.advance(70.0) == []
    (over,) = of.advance(75.0)
    assert (over.change, over.key, over.since) == (Change.CLEARED, ("a",), 0.0)
    assert of.raised == {}


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 200)), max_size=30), st.integers(0, 30))
def test_it_is_raised_where_a_window_has_that_many_and_a_restart_changes_nothing(
    hits: list[tuple[str, int]], cut: int
) -> None:
    hits = sorted(hits, key=lambda hit: hit[1])
    of, told = Distinct(RULE), []
    for number, (user, at) in enumerate(hits):
        if number == cut:
            of = Distinct.restored(RULE, json.loads(json.dumps(of.saved())))
        told += [found.at for found in of.hit(line(user), float(at))]
    wanted = [
        at for number, (_, at) in enumerate(hits)
        if len({user for user, when in hits[: number + 1] if at - 60 <= when}) >= 3
    ]  # fmt: skip
    assert told == [float(at) for at in wanted[:1]]


def test_whoever_chooses_values_and_keys_fills_no_memory() -> None:
    of = Distinct(DistinctRule("user", 1000, 60.0, ("address",)))
    for number in range(3000):
        of.hit(line("x" * 10_000 + str(number), str(number % 30)), number / 1000)
    assert of.forgotten >= 10
    assert len(json.dumps(of.saved())) < 2_000_000


@pytest.mark.parametrize("saved", [{}, {"keys": 3}, {"keys": [[["a"], [["x", "y"], 3], None], [["a", "b"], [], 1]]}])
def test_what_cannot_have_been_saved_is_left_out(saved: dict[str, Any]) -> None:
    assert changes(Distinct.restored(RULE, saved), ("a", 0.0), ("b", 0.0)) == []


@pytest.mark.parametrize("wrong", [{"count": 1}, {"count": 1001}, {"within_seconds": 0.0}, {"clear_below": 4}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        DistinctRule(**{"distinct": "user", "count": 3, "within_seconds": 60.0, **wrong})
