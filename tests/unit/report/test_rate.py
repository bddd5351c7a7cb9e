"""A share and how far it can be trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.report.rate import Rate


@pytest.mark.parametrize(
    ("times", "of", "low", "high"),
    # From Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(times: int, of: int, low: float, high: float) -> None:
    assert Rate(times, of).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_share_lies_within_its_interval(counts: tuple[int, int]) -> None:
    rate = Rate(*counts)
    low, high = rate.interval
    assert 0.0 <= low <= high <= 1.0
    assert rate.share is None if rate.of == 0 else low - 1e-9 <= (rate.share or 0.0) <= high + 1e-9


def test_nothing_of_nothing_is_no_rate() -> None:
    assert (Rate(0, 0).share, Rate(0, 0).interval, Rate(0, 0).is_few, Rate(9, 9).is_few, Rate(9, 10).is_few) == (
        None, (0.0, 1.0), True, True, False,
    )  # fmt: skip
