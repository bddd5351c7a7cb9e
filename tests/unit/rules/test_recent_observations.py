from __future__ import annotations

import math

import pytest

from tests.support.ruling import OK, UNKNOWN, moment, observation, seen
from zen_agents.rules.condition import Beyond
from zen_agents.rules.window import MOST_SAMPLES, RecentObservations, covered_seconds, is_covered


def test_only_the_newest_is_kept_where_nobody_needs_the_past() -> None:
    window = seen(observation("load1", 1.0, 0.0), observation("load1", 2.0, 15.0))

    newest = window.last("load1", "host")
    assert newest is not None
    assert newest.value == 2.0
    assert window.samples("load1", "host") is None


def test_nothing_is_known_of_what_was_not_observed() -> None:
    window = seen(keeping=[("load1", "host", 60.0)])

    assert window.last("load1", "host") is None
    assert window.last("load5", "host") is None
    assert window.samples("load1", "host") is None
    assert window.samples("load5", "host") is None


def test_the_past_of_a_required_pair_is_kept_oldest_first() -> None:
    window = seen(*(observation("load1", float(i), 15.0 * i) for i in range(5)), keeping=[("load1", "host", 60.0)])

    samples = window.samples("load1", "host")
    assert samples is not None
    assert list(samples.times) == [0.0, 15.0, 30.0, 45.0, 60.0]
    assert list(samples.values) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert samples.watched_since == 0.0


def test_targets_of_one_name_are_kept_apart() -> None:
    window = seen(
        observation("disk.percent", 10.0, 0.0, target="disk:/"),
        observation("disk.percent", 90.0, 0.0, target="disk:/srv"),
    )

    here, there = window.last("disk.percent", "disk:/"), window.last("disk.percent", "disk:/srv")
    assert here is not None
    assert there is not None
    assert (here.value, there.value) == (10.0, 90.0)


@pytest.mark.parametrize("garbage", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_unknown(garbage: float) -> None:
    window = seen(observation("load1", garbage, 0.0), keeping=[("load1", "host", 60.0)])

    newest, samples = window.last("load1", "host"), window.samples("load1", "host")
    assert newest is not None
    assert newest.status is UNKNOWN
    assert newest.value is None
    assert samples is not None
    assert len(samples.times) == 0


def test_what_could_not_be_told_is_missing_from_the_past_but_counts_as_watched() -> None:
    window = seen(
        observation("load1", None, 0.0, status=UNKNOWN),
        observation("load1", 1.0, 15.0),
        keeping=[("load1", "host", 60.0)],
    )

    samples = window.samples("load1", "host")
    assert samples is not None
    assert list(samples.times) == [15.0]
    assert samples.watched_since == 0.0


def test_a_late_answer_does_not_replace_a_newer_one() -> None:
    window = seen(observation("load1", 2.0, 30.0), observation("load1", 99.0, 15.0), keeping=[("load1", "host", 60.0)])

    newest, samples = window.last("load1", "host"), window.samples("load1", "host")
    assert newest is not None
    assert newest.value == 2.0
    assert samples is not None
    assert list(samples.values) == [2.0]


def test_the_past_stays_bounded_in_time_and_in_number() -> None:
    window = RecentObservations()
    window.require("load1", "host", 60.0)
    window.require("fast", "host", 86400.0)
    for i in range(3000):
        window.add(observation("load1", 1.0, 15.0 * i))
    for i in range(MOST_SAMPLES + 2000):
        window.add(observation("fast", 1.0, 0.001 * i))

    samples, fast = window.samples("load1", "host"), window.samples("fast", "host")
    assert samples is not None
    assert fast is not None
    assert 5 <= len(samples.times) < 100
    assert samples.times[-1] == 15.0 * 2999
    assert MOST_SAMPLES <= len(fast.times) < MOST_SAMPLES + 100
    assert len(fast.times) == len(fast.values)


def test_a_condition_declares_what_is_kept_and_the_longest_wish_wins() -> None:
    window = RecentObservations()
    for seconds in (300.0, 60.0, 0.0):
        window.require_all(Beyond("load1", "host", 4.0, seconds, 15.0))
    for i in range(200):
        window.add(observation("load1", 5.0, 15.0 * i))

    samples = window.samples("load1", "host")
    assert samples is not None
    assert samples.times[0] <= samples.times[-1] - 300.0


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ([], 0.0),
        ([100.0], 15.0),
        ([0.0, 15.0, 30.0], 45.0),
        ([0.0, 100.0], 30.0),
        # A burst of samples speaks for no more time than it took.
        ([0.0, 1.0, 2.0, 3.0], 18.0),
    ],
)
def test_each_sample_speaks_for_at_most_one_interval(times: list[float], seconds: float) -> None:
    covered = covered_seconds(times, 15.0) if times else 0.0

    assert covered == seconds
    assert is_covered(times, 0, seconds=max(seconds, 1.0), every_seconds=15.0, share=1.0) is (seconds > 0)
    assert not is_covered(times, 0, seconds=seconds + 1.0, every_seconds=15.0, share=1.0)


def test_a_status_is_passed_on_untouched() -> None:
    window = seen(observation("probe.web", 0.2, 1.0, detail="200"))

    newest = window.last("probe.web", "host")
    assert newest is not None
    assert (newest.status, newest.detail, newest.at) == (OK, "200", moment(1.0))
