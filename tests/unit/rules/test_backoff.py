from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ruling import rung
from zen_agents.rules.backoff import backoff_seconds


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10.0), (2, 20.0), (3, 40.0), (5, 160.0), (6, 300.0), (5000, 300.0)])
def test_backoff_doubles_up_to_its_maximum(attempt: int, seconds: float) -> None:
    assert backoff_seconds(rung(), attempt, Random(0)) == seconds


@given(
    first=st.floats(0.0, 3600.0),
    maximum=st.floats(0.0, 86400.0),
    jitter=st.floats(0.0, 600.0),
    attempt=st.integers(-5, 10**6),
    seed=st.integers(),
)
def test_backoff_stays_within_bounds(first: float, maximum: float, jitter: float, attempt: int, seed: int) -> None:
    steps = rung(backoff_first_seconds=first, backoff_maximum_seconds=maximum, jitter_seconds=jitter)

    assert min(first, maximum) <= backoff_seconds(steps, attempt, Random(seed)) <= maximum + jitter


def test_jitter_comes_from_the_randomness_handed_in() -> None:
    steps = rung(jitter_seconds=5.0)

    waits = [backoff_seconds(steps, 1, Random(seed)) for seed in range(20)]

    assert waits == [backoff_seconds(steps, 1, Random(seed)) for seed in range(20)]
    assert len(set(waits)) > 10
