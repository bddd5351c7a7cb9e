"""A queue that grows is told from one that wavers."""

from __future__ import annotations

import json
import random

import pytest

from zen_agents.logs.latency.queue_growth import Growth, QueueGrowth


def fed(depths: list[float], *, every: float = 10, limit: float | None = None) -> QueueGrowth:
    queue = QueueGrowth(400, limit)
    for number, depth in enumerate(depths):
        queue.add(depth, number * every)
    return queue


def test_a_steady_rise_is_growth_with_its_slope_and_when_it_is_full() -> None:
    growth = fed([20.0 * n for n in range(40)], limit=1000).growth(390)
    assert growth == Growth(depth=780, slope=pytest.approx(2.0), full_in=pytest.approx(110))


def test_noise_and_outliers_hide_no_growth() -> None:
    chance = random.Random(3)
    growth = fed([5 * n + chance.gauss(0, 20) + (10_000 if n % 13 == 5 else 0) for n in range(40)]).growth(390)
    assert growth is not None and growth.slope == pytest.approx(0.5, rel=0.3) and growth.full_in is None


@pytest.mark.parametrize("depth", [lambda n: 7, lambda n: -3 * n, lambda n: n % 10, lambda n: 500 if n == 39 else 10])
def test_what_does_not_grow_is_no_growth(depth: object) -> None:
    assert fed([float(depth(n)) for n in range(40)]).growth(390) is None  # type: ignore[operator]


def test_a_queue_that_only_wavers_is_hardly_ever_taken_for_one_that_grows() -> None:
    chance = random.Random(5)
    wrong = sum(fed([chance.gauss(100, 20) for _ in range(40)]).growth(390) is not None for _ in range(300))
    assert wrong <= 3


def test_too_little_is_no_ground() -> None:
    assert fed([20.0 * n for n in range(11)], every=30).growth(300) is None
    assert fed([20.0 * n for n in range(15)]).growth(140) is None


def test_what_is_older_than_the_window_is_left_out_and_memory_bounded() -> None:
    queue = fed([float(n) for n in range(5000)])
    assert len(queue.saved()["depths"]) <= 40
    assert queue.growth(50_000) is not None and queue.growth(60_000) is None


def test_a_full_queue_is_full_now() -> None:
    growth = fed([20.0 * n for n in range(40)], limit=5).growth(390)
    assert growth is not None and growth.full_in == 0.0


def test_a_restart_loses_nothing() -> None:
    queue = fed([20.0 * n for n in range(40)])
    saved = json.loads(json.dumps(queue.saved()))
    assert QueueGrowth.restored(saved, 400).growth(390) == queue.growth(390) is not None
    assert QueueGrowth.restored(saved, 800).growth(390) is None
    assert QueueGrowth.restored({"part": 10, "depths": [["x", 1], [1], None]}, 400).saved()["depths"] == []


def test_a_window_has_a_length() -> None:
    with pytest.raises(ValueError, match="window_seconds"):
        QueueGrowth(0)
