"""Errors that use up the budget too fast are told, for as long as they do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.latency.error_budget import PAIRS, ErrorBudget

MINUTE = 60


def fed(minutes: int, errors: int, *, of: int = 100, after: ErrorBudget | None = None, since: int = 0) -> ErrorBudget:
    budget = after or ErrorBudget(0.999, 0)
    for minute in range(since, since + minutes):
        budget.add(of, errors, minute * MINUTE)
    return budget


def names(budget: ErrorBudget, minute: int) -> list[str]:
    return [burn.pair.name for burn in budget.burns(minute * MINUTE)]


def test_within_the_objective_nothing_is_told() -> None:
    assert names(fed(400, 1, of=1000), 399) == []


def test_an_outage_is_told_soon_and_over_soon() -> None:
    budget = fed(60, 0)
    budget = fed(5, 50, after=budget, since=60)
    assert names(budget, 64) == ["fast", "slow"]
    (fast, _) = budget.burns(64 * MINUTE)
    assert (fast.errors, fast.requests) == (250, 6000) and fast.short_rate == pytest.approx(500)
    budget = fed(6, 0, after=budget, since=65)
    assert names(budget, 70) == ["slow"]
    assert names(fed(30, 0, after=budget, since=71), 100) == []


def test_a_slow_leak_is_told_by_the_long_windows() -> None:
    assert names(fed(360, 7, of=1000), 359) == ["slow"]


def test_a_few_errors_of_few_requests_are_nothing() -> None:
    assert names(fed(60, 0, of=0, after=fed(9, 1, of=1)), 8) == []


def test_nothing_is_said_before_a_short_window_has_passed() -> None:
    budget = fed(5, 100)
    assert names(budget, 4) == [] and names(budget, 5) == ["fast"]


def test_memory_and_time_are_bounded_by_the_longest_window() -> None:
    budget = fed(2000, 1)
    assert len(budget.saved()["minutes"]) <= 360
    assert names(budget, 3000) == []


@pytest.mark.parametrize("objective", [0.0, 1.0, 99.9, -1.0])
def test_an_objective_is_a_share(objective: float) -> None:
    with pytest.raises(ValueError, match="between"):
        ErrorBudget(objective, 0)


def test_a_restart_loses_nothing() -> None:
    budget = fed(100, 30)
    again = ErrorBudget.restored(0.999, 99 * MINUTE, json.loads(json.dumps(budget.saved())))
    assert again.burns(100 * MINUTE) == budget.burns(100 * MINUTE) != []


@pytest.mark.parametrize("row", [None, ["a", 1, 1], [50, 1, 2], [50, -5, -5], [10**9, 100, 100], [50.5, 100, 100]])
def test_what_was_not_saved_by_it_is_left_out(row: object) -> None:
    again = ErrorBudget.restored(0.999, 100 * MINUTE, {"started": 0, "minutes": [row] * 20})
    assert again.burns(100 * MINUTE) == []


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 300), st.integers(0, 500)), max_size=40))
def test_told_only_where_both_windows_burn(lines: list[tuple[int, int, int]]) -> None:
    budget = ErrorBudget(0.99, 0)
    for requests, errors, minute in sorted(lines, key=lambda line: line[2]):
        budget.add(requests, errors, minute * MINUTE)
    for burn in budget.burns(500 * MINUTE):
        assert burn.pair in PAIRS and min(burn.long_rate, burn.short_rate) >= burn.pair.rate and burn.errors <= burn.requests
