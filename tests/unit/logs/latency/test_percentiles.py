"""How long operations take, for a bounded number of them."""

from __future__ import annotations

import json

import pytest

from zen_agents.logs.latency.percentiles import REST, Percentiles


def test_percentiles_of_each_operation_that_which_took_the_most_time_first() -> None:
    durations = Percentiles(300)
    for number in range(1, 101):
        durations.add("GET /a", number / 100, 10)
        durations.add("GET /b", 0.001, 10)
    slow, fast = durations.latencies(20)
    assert (slow.operation, slow.count, fast.operation, fast.longest) == ("GET /a", 100, "GET /b", 0.001)
    assert slow.p50 == pytest.approx(0.5, rel=0.03) and slow.p99 == pytest.approx(0.99, rel=0.03)
    assert slow.mean == pytest.approx(0.505) and slow.longest == 1.0


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    durations = Percentiles(300)
    durations.add("old", 9.0, 0)
    durations.add("new", 1.0, 200)
    assert [latency.operation for latency in durations.latencies(299)] == ["old", "new"]
    assert [latency.operation for latency in durations.latencies(320)] == ["new"]
    assert durations.latencies(9000) == []


def test_in_a_scan_everything_counts() -> None:
    durations = Percentiles()
    durations.add("a", 1.0, 0)
    durations.add("a", 2.0, 1e9)
    assert [latency.count for latency in durations.latencies(2e9)] == [2]


def test_operations_without_end_cost_none_that_is_frequent_its_place_and_are_counted_together() -> None:
    durations = Percentiles(300, most=10)
    for _ in range(50):
        durations.add("GET /real", 0.5, 0)
    for number in range(9 * 40):
        durations.add(f"GET /{number}", 0.1, 1)
    found = {latency.operation: latency.count for latency in durations.latencies(2)}
    assert len(found) == 11 and found["GET /real"] == 50
    assert sum(found.values()) == 50 + 9 * 40 and found[REST] == durations.forgotten


def test_a_restart_loses_nothing() -> None:
    durations = Percentiles(300, most=2)
    for name, seconds in (("a", 1.0), ("b", 2.0), ("c", 3.0), ("c", 4.0)):
        durations.add(name, seconds, 100)
    again = Percentiles.restored(json.loads(json.dumps(durations.saved())), 300)
    assert again.latencies(150) == durations.latencies(150) and again.forgotten == 1
    assert Percentiles.restored(durations.saved(), 600).latencies(150) == []


@pytest.mark.parametrize("rows", [None, [1], [[["a"], 3]], [[["a"], [[0, 5]]]], [[[1], [[0, [1, 1, [[0, 1]]]]]]]])
def test_what_was_not_saved_by_it_is_left_out(rows: object) -> None:
    assert Percentiles.restored({"slice": 60.0, "operations": rows, "rest": 7, "forgotten": "x"}, 300).latencies(0) == []


def test_the_rest_is_bounded_in_time_as_well() -> None:
    durations = Percentiles(300, most=1)
    for minute in range(500):
        durations.add(str(minute), 1.0, minute * 60)
    assert len(durations.saved()["rest"]) <= 5
