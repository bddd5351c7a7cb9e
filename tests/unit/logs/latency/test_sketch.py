"""Quantiles are right to within what is said, whatever is counted, in pieces or whole."""

from __future__ import annotations

import json
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.latency.sketch import LONGEST, RELATIVE_ERROR, SHORTEST, Sketch, merged

DURATIONS = st.lists(st.floats(SHORTEST, LONGEST), min_size=1, max_size=200)


def of(durations: list[float]) -> Sketch:
    made = Sketch()
    for seconds in durations:
        made.add(seconds)
    return made


@given(DURATIONS, st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_a_quantile_is_off_by_no_more_than_one_per_cent(durations: list[float], share: float) -> None:
    exact = sorted(durations)[int(share * (len(durations) - 1))]
    found = of(durations).quantile(share)
    assert found is not None and abs(found - exact) <= exact * RELATIVE_ERROR * 1.0001


@given(DURATIONS, st.integers(0, 200))
def test_pieces_merged_are_the_whole(durations: list[float], cut: int) -> None:
    pieces = merged({1: of(durations[:cut]), 2: of(durations[cut:])})
    whole = of(durations)
    assert pieces.count == whole.count and pieces.longest == whole.longest
    assert [pieces.quantile(share) for share in (0.5, 0.95, 0.99)] == [whole.quantile(share) for share in (0.5, 0.95, 0.99)]


@given(DURATIONS)
def test_a_restart_loses_nothing(durations: list[float]) -> None:
    saved = of(durations).saved()
    assert Sketch.restored(json.loads(json.dumps(saved))).saved() == saved


def test_what_is_no_duration_is_none_and_what_is_off_the_scale_counts_as_its_end() -> None:
    sketch = of([nan, inf, -inf, -1.0])
    assert sketch.count == 0 and sketch.quantile(0.5) is None
    sketch = of([0.0, 1e-300, 1e300])
    assert sketch.count == 3 and sketch.longest == LONGEST
    assert sketch.quantile(0.0) == pytest.approx(SHORTEST, rel=RELATIVE_ERROR)


def test_memory_is_bounded_by_the_scale() -> None:
    sketch = of([1e-7 * 1.005**n for n in range(6000)])
    assert len(sketch.saved()[2]) <= 1383


@pytest.mark.parametrize(
    "saved", [None, [], [1, 2], [1, 2, 3], ["x", None, [[1, 1, 1], ["a", 1], [10**6, 1], [0, -1], [0, 0]]]]
)
def test_what_was_not_saved_by_it_is_left_out(saved: object) -> None:
    assert Sketch.restored(saved).count == 0
