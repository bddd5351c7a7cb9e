"""How far distributions have moved, by formulas that are written down elsewhere."""

from __future__ import annotations

from math import log

import pytest

from zen_agents.datasets.movement import distance, of_bins, psi, shares


def test_the_index_is_the_sum_over_bins_and_an_empty_bin_does_not_count_for_everything() -> None:
    assert psi([0.5, 0.5], [0.5, 0.5]) == 0
    assert psi([0.5, 0.5], [0.6, 0.4]) == pytest.approx(0.1 * log(1.2) - 0.1 * log(0.8))
    assert psi([1.0, 0.0], [0.5, 0.5]) == pytest.approx(-0.5 * log(0.5) + 0.4999 * log(5000))


def test_shares_have_a_rest_and_bins_what_lies_between_their_edges() -> None:
    assert shares([2, 1], 4) == pytest.approx([0.5, 0.25, 0.25]) and shares([0], 0) == [0.0, 0.0]
    assert of_bins([1, 3, 4]) == pytest.approx([0.25, 0.5, 0.25]) and of_bins([0, 0]) == [0.0, 0.0]
    assert distance([1.0, 0.0], [0.0, 1.0]) == 1 and distance([0.5, 0.5], [0.75, 0.25]) == pytest.approx(0.25)
