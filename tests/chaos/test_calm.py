"""At which moment a fault happens favours nobody who looks in cycles."""

from __future__ import annotations

import statistics

import pytest

from chaos.experiment import calm_seconds
from chaos.scenario import load_all


@pytest.mark.parametrize(("seeds", "off"), [(3, 0.27), (5, 0.12), (9, 0.12)])
def test_seeds_in_a_row_meet_a_cycle_of_a_second_evenly_wherever_it_began(seeds: int, off: float) -> None:
    for name in load_all():
        moments = [calm_seconds(name, seed) for seed in range(seeds)]
        for began in range(100):
            waits = [(began / 100 - moment) % 1.0 for moment in moments]
            assert abs(statistics.median(waits) - 0.5) <= off, f"{name}: favours or harms who looks every second"


def test_it_is_the_same_again_and_less_than_a_second() -> None:
    moments = {(name, seed): calm_seconds(name, seed) for name in load_all() for seed in range(20)}
    assert all(0 <= moment < 1 for moment in moments.values())
    assert moments == {key: calm_seconds(*key) for key in moments}
    assert len({calm_seconds(name, 0) for name in load_all()}) == len(load_all()), "each scenario begins elsewhere"
