"""So many lines within so long: exactly then, whoever chooses the keys and whatever the lines say of the time."""

from __future__ import annotations

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.detection import counting
from zen_agents.logs.detection.counting import MOST_COUNT, MOST_TIMES, Counting, CountRule
from zen_agents.logs.detection.found import Change, Detection

BY_IP = CountRule(count=3, within_seconds=60, by=("ip",))


def hits(detector: Counting, *times: float, ip: str = "192.0.2.7") -> list[Detection]:
    return [found for at in times for found in detector.hit({"ip": ip}, at)]


def test_raised_by_the_line_that_makes_it_enough_and_only_once() -> None:
    detector = Counting(BY_IP)
    assert hits(detector, 0, 59) == []
    assert hits(detector, 60) == [Detection(Change.RAISED, ("192.0.2.7",), 60, 0, 3)]
    assert hits(detector, 61, 62) == []
    assert detector.raised == {("192.0.2.7",): 0}


def test_the_first_and_the_last_may_lie_no_further_apart_than_the_window() -> None:
    assert hits(Counting(BY_IP), 0, 30, 60.001) == []


def test_each_key_counts_for_itself() -> None:
    detector = Counting(BY_IP)
    assert [hits(detector, at, ip=f"192.0.2.{at}") for at in range(10)] == [[]] * 10


def test_without_by_all_lines_count_together() -> None:
    detector = Counting(CountRule(count=2, within_seconds=60))
    detector.hit({"ip": "192.0.2.1"}, 0)
    assert [found.key for found in detector.hit({"ip": "192.0.2.2"}, 1)] == [()]


def test_a_line_without_the_field_is_counted_for_nobody() -> None:
    detector = Counting(CountRule(count=1, within_seconds=60, by=("ip",)))
    assert detector.hit({"user": "root"}, 0) == []
    assert detector.without_key == 1


def test_cleared_when_the_window_holds_too_few_and_not_before() -> None:
    detector = Counting(CountRule(count=3, within_seconds=60, by=("ip",), clear_below=2))
    hits(detector, 0, 10, 20)
    assert detector.advance(70) == []
    assert [(found.change, found.at, found.since) for found in detector.advance(71)] == [(Change.CLEARED, 71, 0)]
    assert detector.raised == {} and detector.advance(72) == []


def test_in_a_scan_the_next_line_tells_that_it_was_over() -> None:
    detector = Counting(BY_IP)
    hits(detector, 0, 1, 2)
    assert [found.change for found in hits(detector, 3600)] == [Change.CLEARED]


def test_times_that_are_late_or_far_off_neither_count_nor_blind() -> None:
    detector = Counting(BY_IP)
    assert hits(detector, *(1e9 * n for n in range(1, 10)), 100, 110) == []
    assert [found.at for found in hits(detector, 105)] == [105]


def test_a_rule_that_counts_further_keeps_fewer_keys() -> None:
    assert CountRule(5, 60).most_keys == 10_000
    assert CountRule(MOST_COUNT, 60).most_keys * 2 * MOST_COUNT == MOST_TIMES


def test_a_raised_key_that_loses_its_place_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_KEYS", 2)
    detector = Counting(BY_IP)
    hits(detector, 0, 1, 2)
    changes = hits(detector, 3, 3, 3, 3, ip="a") + hits(detector, 3, 3, 3, 3, ip="b") + hits(detector, 3, 3, 3, 3, ip="c")
    assert Detection(Change.FORGOTTEN, ("192.0.2.7",), 3, 0, 3) in changes
    assert ("192.0.2.7",) not in detector.raised and detector.forgotten > 0


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": MOST_COUNT + 1}, {"within_seconds": 0.0}, {"clear_below": 4}])
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        CountRule(**{"count": 3, "within_seconds": 60.0, **wrong})  # type: ignore[arg-type]


LINES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100)), max_size=60)


def fits(times: list[int], count: int, within: float) -> bool:
    ordered = sorted(times)
    return any(ordered[i + count - 1] - ordered[i] <= within for i in range(len(ordered) - count + 1))


@given(lines=LINES, count=st.integers(1, 4), within=st.integers(1, 20))
def test_never_raised_before_there_are_so_many_within_the_window(
    lines: list[tuple[str, int]], count: int, within: int
) -> None:
    detector, seen = Counting(CountRule(count, within, ("ip",))), defaultdict(list)
    for ip, at in lines:
        seen[ip].append(at)
        for found in detector.hit({"ip": ip}, at):
            assert found.key == (ip,)
            assert found.change is Change.CLEARED or fits(seen[ip], count, within)


@given(lines=LINES, count=st.integers(1, 4), within=st.integers(1, 20))
def test_in_order_raised_exactly_when_there_are_so_many(lines: list[tuple[str, int]], count: int, within: int) -> None:
    detector, seen = Counting(CountRule(count, within, ("ip",))), defaultdict(list)
    for ip, at in sorted(lines, key=lambda line: line[1]):
        detector.advance(at)
        seen[ip].append(at)
        detector.hit({"ip": ip}, at)
        recent = [time for time in seen[ip] if time >= at - within]
        assert ((ip,) in detector.raised) == (len(recent) >= count)


@given(
    own=st.lists(st.integers(0, 100).map(float), max_size=20),
    others=st.lists(st.tuples(st.integers(0, 20), st.text("xyz", max_size=3), st.floats(-1e12, 1e12)), max_size=60),
)
def test_lines_of_other_keys_change_nothing_whatever_times_they_say(
    own: list[float], others: list[tuple[int, str, float]]
) -> None:
    alone, among = Counting(BY_IP), Counting(BY_IP)
    for number, at in enumerate(own):
        expected = alone.hit({"ip": "192.0.2.7"}, at)
        for _, ip, forged in [other for other in others if other[0] == number]:
            among.hit({"ip": ip}, forged)
        assert among.hit({"ip": "192.0.2.7"}, at) == expected


def test_a_flood_of_keys_leaves_what_is_said_and_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_KEYS", 50)
    detector = Counting(CountRule(count=5, within_seconds=60, by=("ip",)))
    hits(detector, 0, 1, 2, 3)
    for number in range(49 * 4):
        assert hits(detector, 4, ip=f"flood-{number}") == []
    assert [found.change for found in hits(detector, 5)] == [Change.RAISED]
    assert len(detector.saved()["keys"]) == 50 and detector.forgotten > 0


@given(lines=LINES, cut=st.integers(0, 60))
def test_a_restart_loses_nothing(lines: list[tuple[str, int]], cut: int) -> None:
    kept = restarted = Counting(BY_IP)
    for number, (ip, at) in enumerate(lines):
        if number == cut:
            restarted = Counting.restored(BY_IP, json.loads(json.dumps(kept.saved())))
        found = kept.hit({"ip": ip}, at)
        if number >= cut:
            assert restarted.hit({"ip": ip}, at) == found


@pytest.mark.parametrize(
    "saved",
    [
        {}, {"keys": None, "forgotten": -1}, {"keys": {"a": 1}, "forgotten": True}, {"keys": [None, [], [["a"]]]},
        {"keys": [[["a", "b"], [1.0], None], [[1], [1.0], None], ["a", [1.0], None], [["a" * 500], [1.0], None]]},
        {"keys": [[["a"], ["1", None, float("nan"), 10**400, True], None], [["b"], 5, None], [["c"], [], 7]]},
    ],
    ids=range(6),
)  # fmt: skip
def test_what_was_not_saved_by_it_is_left_out(saved: dict[str, object]) -> None:
    detector = Counting.restored(BY_IP, saved)
    assert detector.saved() == {"keys": [], "forgotten": 0}
    assert [found.at for found in hits(detector, 0, 1, 2)] == [2]


def test_what_an_earlier_version_saved_is_read_and_of_what_is_not_raised_no_more_is_saved_than_its_lines() -> None:
    rule = CountRule(2, 60.0, ("host",))
    before = {"keys": [[["a"], [1.0], None], [["b"], [1.0, 2.0], 1.0]], "forgotten": 0}
    detector = Counting.restored(rule, before)
    assert detector.raised == {("b",): 1.0}
    assert detector.saved()["keys"] == [[["a"], [1.0]], [["b"], [1.0, 2.0], 1.0]]
    assert Counting.restored(rule, detector.saved()).saved() == detector.saved()
