from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.ruling import OK, PROBLEM, UNKNOWN, moment, observation, seen
from zen_agents.clock import Instant
from zen_agents.model.observation import Finding, Observation, Status
from zen_agents.rules.condition import AllOf, Beyond, Either, StatusIs, is_surely_good
from zen_agents.rules.window import RecentObservations

CPU = ("cpu.percent", "host", 300.0)
STATUSES = st.sampled_from(list(Status))


def hot(**changes: Any) -> Beyond:
    """CPU above 80 % for 5 minutes, sampled every 15 s."""
    return Beyond(**{
        "name": "cpu.percent", "target": "host", "limit": 80.0, "window_seconds": 300.0, "sample_seconds": 15.0, **changes,
    })  # fmt: skip


def cpu(values: dict[float, float | None]) -> RecentObservations:
    """A window that saw these values at these moments; None: could not be told."""
    return seen(
        *(
            observation("cpu.percent", value, at, status=OK if value is not None else UNKNOWN)
            for at, value in values.items()
        ),
        keeping=[CPU],
    )


def every_15(value: float, until: float, *, since: float = 0.0) -> dict[float, float | None]:
    return {since + 15.0 * i: value for i in range(int((until - since) / 15.0) + 1)}


def judge(values: dict[float, float | None], at: float, **changes: Any) -> Status:
    return hot(**changes).evaluate(cpu(values), moment(at)).status


class TestStatusIs:
    condition = StatusIs("probe.web", "service:web", stale_after_seconds=30.0, certain=True)

    def window(self, status: Status, at: float = 0.0) -> RecentObservations:
        return seen(Observation("probe.web", "service:web", status, moment(at), 0.2, "connected", "12:34"))

    @pytest.mark.parametrize("status", [OK, PROBLEM])
    def test_passes_on_what_the_check_says(self, status: Status) -> None:
        found = self.condition.evaluate(self.window(status), moment(30.0))

        assert found == Finding(status, moment(0.0), "connected", 0.2, "12:34", certain=status is PROBLEM)

    def test_unknown_is_never_certain(self) -> None:
        found = self.condition.evaluate(self.window(UNKNOWN), moment(1.0))

        assert (found.status, found.certain) == (UNKNOWN, False)

    @pytest.mark.parametrize("status", [OK, PROBLEM])
    def test_a_stale_observation_is_unknown(self, status: Status) -> None:
        found = self.condition.evaluate(self.window(status), moment(30.1))

        assert (found.status, found.certain) == (UNKNOWN, False)
        assert "ago" in found.detail

    def test_what_was_never_observed_is_unknown(self) -> None:
        assert self.condition.evaluate(RecentObservations(), moment(0.0)).status is UNKNOWN

    def test_names_what_it_reads(self) -> None:
        assert self.condition.names == {("probe.web", "service:web")}
        assert self.condition.histories == {}


class TestBeyond:
    def test_all_samples_above_for_the_whole_window_is_a_problem(self) -> None:
        found = hot().evaluate(cpu(every_15(93.0, 300.0)), moment(300.0))

        assert (found.status, found.value, found.at) == (PROBLEM, 93.0, moment(300.0))
        assert found.detail == "cpu.percent is 93, above 80 for 5m"

    @pytest.mark.parametrize("value, said", [(80.4, "80.4"), (80.0004, "80.0004"), (80.000004, "80.000004")])
    def test_a_value_is_told_with_the_digits_that_make_it_a_problem(self, value: float, said: str) -> None:
        found = hot(window_seconds=0.0).evaluate(cpu({0.0: value}), moment(0.0))

        assert found.detail == f"cpu.percent is {said}, above 80"

    def test_the_window_must_have_been_watched_from_its_start(self) -> None:
        assert judge(every_15(93.0, 285.0), 285.0) is UNKNOWN
        assert judge(every_15(93.0, 300.0), 300.0) is PROBLEM

    @pytest.mark.parametrize("dip_at", [15.0, 150.0, 285.0, 300.0])
    def test_one_sample_within_the_limit_is_ok(self, dip_at: float) -> None:
        assert judge(every_15(93.0, 300.0) | {dip_at: 80.0}, 301.0) is OK

    def test_a_sample_older_than_the_window_does_not_count(self) -> None:
        assert judge(every_15(93.0, 315.0) | {0.0: 10.0}, 315.0) is PROBLEM

    @pytest.mark.parametrize(("missing", "status"), [(4, PROBLEM), (5, UNKNOWN)])
    def test_a_fifth_of_the_samples_may_be_missing(self, missing: int, status: Status) -> None:
        # From 15 to 300 twenty samples are expected; the one at 0 only shows that it was watched before.
        values = every_15(93.0, 300.0)
        for i in range(missing):
            del values[30.0 + 45.0 * i]

        assert judge(values, 301.0) is status

    def test_unknown_observations_are_missing_ones(self) -> None:
        values = every_15(93.0, 300.0)
        tolerable = values | dict.fromkeys([30.0, 75.0], None)
        too_many = values | dict.fromkeys([30.0, 60.0, 90.0, 120.0, 150.0, 180.0], None)

        assert judge(tolerable, 300.0) is PROBLEM
        assert judge(too_many, 300.0) is UNKNOWN

    def test_a_burst_of_samples_does_not_make_up_for_a_gap(self) -> None:
        burst = {float(at): 93.0 for at in range(270, 301)}

        assert judge({0.0: 93.0} | burst, 300.0) is UNKNOWN

    def test_uneven_sampling_does_not_lose_samples(self) -> None:
        wobbly = {15.0 * i + (0.7 if i % 2 else 0.0): 93.0 for i in range(22)}

        assert judge(wobbly, 316.0) is PROBLEM

    @pytest.mark.parametrize("value", [93.0, 10.0])
    def test_a_newest_observation_that_says_nothing_of_the_present_is_unknown(self, value: float) -> None:
        values = every_15(value, 300.0)

        assert judge(values, 346.0) is UNKNOWN
        assert judge(values | {315.0: None}, 315.0) is UNKNOWN

    def test_without_a_window_only_the_newest_counts(self) -> None:
        assert judge({0.0: 10.0, 15.0: 93.0}, 15.0, window_seconds=0.0) is PROBLEM
        assert judge({0.0: 93.0, 15.0: 10.0}, 15.0, window_seconds=0.0) is OK
        assert hot(window_seconds=0.0).histories == {}

    def test_below_is_the_other_way_round(self) -> None:
        low = {"limit": 20.0, "direction": "below"}

        assert judge(every_15(10.0, 300.0), 300.0, **low) is PROBLEM
        assert judge(every_15(10.0, 300.0) | {150.0: 20.0}, 300.0, **low) is OK

    def test_an_observation_without_a_number_is_unknown(self) -> None:
        window = seen(observation("cpu.percent", None, 0.0), keeping=[CPU])

        assert hot().evaluate(window, moment(0.0)).status is UNKNOWN

    def test_a_past_that_nobody_keeps_is_unknown(self) -> None:
        window = seen(*(observation("cpu.percent", 93.0, 15.0 * i) for i in range(30)))

        assert hot().evaluate(window, moment(435.0)).status is UNKNOWN

    @given(st.lists(st.one_of(st.none(), st.floats(0.0, 100.0)), max_size=30))
    def test_a_problem_needs_samples_that_were_all_seen_beyond(self, values: list[float | None]) -> None:
        taken = {15.0 * i: value for i, value in enumerate(values)}
        end = 15.0 * max(0, len(values) - 1)

        if judge(taken, end) is PROBLEM:
            recent = [value for at, value in taken.items() if at >= end - 300.0 and value is not None]
            assert min(recent) > 80.0
            assert len(recent) >= 16

    @given(
        st.lists(st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True)), max_size=30), st.floats(0.0, 900.0)
    )
    def test_never_raises_whatever_was_measured(self, values: list[float | None], at: float) -> None:
        taken = {15.0 * i: value for i, value in enumerate(values)}

        assert judge(taken, at) in Status


class TestCombined:
    def parts(self, statuses: list[Status]) -> tuple[tuple[StatusIs, ...], RecentObservations]:
        observations = [
            Observation(f"probe.p{i}", "host", status, moment(float(i)), None, f"p{i}") for i, status in enumerate(statuses)
        ]
        conditions = tuple(StatusIs(one.name, "host", 900.0) for one in observations)
        return conditions, seen(*observations)

    @given(st.lists(STATUSES, min_size=1, max_size=5))
    def test_either_is_as_bad_as_its_worst_part(self, statuses: list[Status]) -> None:
        conditions, window = self.parts(statuses)
        expected = PROBLEM if PROBLEM in statuses else UNKNOWN if UNKNOWN in statuses else OK

        assert Either(conditions).evaluate(window, moment(10.0)).status is expected

    @given(st.lists(STATUSES, min_size=1, max_size=5))
    def test_all_of_is_as_good_as_its_best_part(self, statuses: list[Status]) -> None:
        conditions, window = self.parts(statuses)
        expected = OK if OK in statuses else UNKNOWN if UNKNOWN in statuses else PROBLEM

        assert AllOf(conditions).evaluate(window, moment(10.0)).status is expected

    @pytest.mark.parametrize("kind", [Either, AllOf])
    def test_no_parts_say_nothing(self, kind: type[Either] | type[AllOf]) -> None:
        assert kind(()).evaluate(RecentObservations(), moment(0.0)).status is UNKNOWN

    @pytest.mark.parametrize(
        ("kind", "status", "at"),
        [(Either, PROBLEM, 1.0), (Either, OK, 0.0), (AllOf, PROBLEM, 0.0), (AllOf, OK, 1.0)],
    )
    def test_a_finding_is_as_new_as_what_decides_it(
        self, kind: type[Either] | type[AllOf], status: Status, at: float
    ) -> None:
        conditions, window = self.parts([status, status])

        found = kind(conditions).evaluate(window, moment(10.0))

        assert found.at == moment(at)

    def test_a_certain_part_makes_either_certain(self) -> None:
        window = seen(
            Observation("process.web", "service:web", PROBLEM, moment(0.0), None, "it ended"),
            Observation("probe.web", "service:web", PROBLEM, moment(5.0), None, "no answer"),
        )
        process = StatusIs("process.web", "service:web", 60.0, certain=True)
        probe = StatusIs("probe.web", "service:web", 60.0)

        found = Either((probe, process)).evaluate(window, moment(6.0))

        assert (found.certain, found.detail) == (True, "it ended")
        assert not AllOf((probe, process)).evaluate(window, moment(6.0)).certain

    @pytest.mark.parametrize("kind", [Either, AllOf])
    def test_the_longest_past_that_any_part_needs_is_declared(self, kind: type[Either] | type[AllOf]) -> None:
        both = kind((hot(), hot(window_seconds=900.0), StatusIs("probe.web", "service:web", 60.0)))

        assert both.histories == {("cpu.percent", "host"): 900.0}
        assert both.names == {("cpu.percent", "host"), ("probe.web", "service:web")}


def test_ages_do_not_depend_on_the_wall_clock() -> None:
    values = every_15(93.0, 300.0)
    a_day_back = Instant(moment(300.0, wall_off=-86400.0).wall, 300.0)

    assert hot().evaluate(cpu(values), a_day_back).status is PROBLEM


SEEN = st.builds(
    observation, st.sampled_from(["a", "b"]), st.one_of(st.none(), st.floats(0, 100)), st.floats(0, 20), status=STATUSES
)
NAMED, DIRECTIONS = st.sampled_from(["a", "b"]), st.sampled_from(["above", "below"])
BEYOND = st.builds(
    Beyond, NAMED, st.just("host"), st.floats(0, 100), st.sampled_from([0.0, 10.0]), st.just(5.0), direction=DIRECTIONS
)
PARTS = BEYOND | st.builds(StatusIs, NAMED, st.just("host"), st.just(60.0))
ALL = PARTS | st.builds(Either, st.tuples(PARTS, PARTS)) | st.builds(AllOf, st.tuples(PARTS, PARTS))


@given(ALL, st.lists(SEEN, min_size=1, max_size=8))
def test_what_all_observations_of_find_good_is_no_problem(condition: Beyond, found: list[Observation]) -> None:
    found.sort(key=lambda each: each.at.steady)
    window = seen(*found, keeping=[("a", "host", 10.0), ("b", "host", 10.0)])
    newest = [each for name in ("a", "b") if (each := window.last(name, "host")) and (name, "host") in condition.names]
    problem = condition.evaluate(window, moment(20.0)).status is PROBLEM

    assert not (problem and newest and all(is_surely_good(condition, each) for each in newest))
