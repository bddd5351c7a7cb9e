"""First this, then that, within so long."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.detection.found import Change, Detection
from zen_agents.logs.detection.sequence import SequenceRule, Sequences

RULE = SequenceRule(steps=2, within_seconds=60, by=("ip",))
ALICE = {"ip": "192.0.2.7"}


def test_complete_with_the_last_step_and_over_at_once() -> None:
    detector = Sequences(RULE)
    assert detector.hit([0], ALICE, 0) is None
    assert detector.hit([1], ALICE, 60) == Detection(Change.RAISED, ("192.0.2.7",), 60, 0, 2)
    assert detector.hit([1], ALICE, 61) is None


@pytest.mark.parametrize(
    "lines", [[([1], 0), ([0], 1)], [([0], 0), ([1], 61)], [([0, 1], 0)], [([0], 10), ([1], 9)]],
    ids=["the wrong way round", "too late", "one line is no two steps", "times the wrong way round"],
)  # fmt: skip
def test_not_a_sequence(lines: list[tuple[list[int], float]]) -> None:
    detector = Sequences(RULE)
    assert [detector.hit(steps, ALICE, at) for steps, at in lines] == [None] * len(lines)


def test_steps_of_two_keys_are_no_sequence() -> None:
    detector = Sequences(RULE)
    detector.hit([0], ALICE, 0)
    assert detector.hit([1], {"ip": "192.0.2.8"}, 1) is None
    assert detector.hit([1], {}, 1) is None and detector.without_key == 1


def test_of_several_beginnings_the_latest_counts() -> None:
    detector = Sequences(RULE)
    detector.hit([0], ALICE, 0)
    detector.hit([0], ALICE, 50)
    found = detector.hit([1], ALICE, 100)
    assert found is not None and found.since == 50


def test_a_flood_of_keys_costs_no_key_that_got_further_its_place() -> None:
    detector = Sequences(SequenceRule(3, 60, ("ip",)))
    detector.hit([0], ALICE, 0)
    detector.hit([1], ALICE, 1)
    for number in range(15_000):
        detector.hit([0], {"ip": f"flood-{number}"}, 2)
    assert detector.hit([2], ALICE, 3) is not None
    assert detector.forgotten == 5_001


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"steps": 17}, {"within_seconds": 0.0}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"steps|within_seconds"):
        SequenceRule(**{"steps": 2, "within_seconds": 60.0, **wrong})  # type: ignore[arg-type]


def chains(lines: list[tuple[int, int]], steps: int, within: int) -> bool:
    """Tell by trying every beginning whether the last line completes a sequence."""
    reached: list[tuple[int, int]] = []
    for step, at in lines:
        reached += (
            [(0, at)]
            if step == 0
            else [(step, began) for done, began in reached if done == step - 1 and at - began <= within]
        )
    step, at = lines[-1]
    return step == steps - 1 and any(done == step and at - began <= within for done, began in reached)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), min_size=1, max_size=12), st.integers(1, 20))
def test_found_exactly_where_there_is_one(lines: list[tuple[int, int]], within: int) -> None:
    detector = Sequences(SequenceRule(3, within))
    seen: list[tuple[int, int]] = []
    for step, at in sorted(lines, key=lambda line: line[1]):
        seen.append((step, at))
        found = detector.hit([step], {}, at)
        assert (found is not None) == chains(seen, 3, within)
        if found is not None:
            seen.clear()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1), st.integers(0, 99)), max_size=20), st.integers(0, 20))
def test_a_restart_loses_nothing(lines: list[tuple[str, int, int]], cut: int) -> None:
    kept = restarted = Sequences(RULE)
    for number, (ip, step, at) in enumerate(lines):
        if number == cut:
            restarted = Sequences.restored(RULE, json.loads(json.dumps(kept.saved())))
        found = kept.hit([step], {"ip": ip}, at)
        if number >= cut:
            assert restarted.hit([step], {"ip": ip}, at) == found


@pytest.mark.parametrize("row", [None, [["a"], None], [["a"], [[9, 0, 0], [[], 0, 0], [1, "x", 0]]], [[1], [[1, 0, 0]]]])
def test_what_was_not_saved_by_it_is_left_out(row: object) -> None:
    again = Sequences.restored(RULE, {"keys": [row]})
    assert again.hit([1], {"ip": "a"}, 1) is None
