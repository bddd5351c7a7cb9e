"""What a quantity is shown as is read back as the same quantity."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from zen_agents.model.quantities import format_duration, format_size, parse_duration, parse_size


@given(st.integers(min_value=0, max_value=10**10))
def test_durations_survive_being_shown(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.integers(min_value=0, max_value=2**60))
def test_sizes_survive_being_shown(size: int) -> None:
    assert parse_size(format_size(size)) == size or size > 2**53
