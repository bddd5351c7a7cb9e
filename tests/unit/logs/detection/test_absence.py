"""No line for so long."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.detection.absence import Absence, AbsenceRule
from zen_agents.logs.detection.found import Change, Detection

ANY, BY_HOST = AbsenceRule(600), AbsenceRule(600, by=("host",))


def test_without_by_a_line_is_expected_from_the_start() -> None:
    detector = Absence(ANY, started_at=1000)
    assert detector.advance(1600) == []
    assert detector.advance(1601) == [Detection(Change.RAISED, (), 1600, 1000, 0)]
    assert detector.advance(1700) == [] and detector.raised == {(): 1000}


def test_a_line_clears_it() -> None:
    detector = Absence(ANY, started_at=0)
    detector.advance(601)
    assert detector.hit({}, 700) == [Detection(Change.CLEARED, (), 700, 0, 0)]
    assert detector.raised == {} and detector.advance(1300) == []


def test_with_by_each_is_expected_once_it_was_heard() -> None:
    detector = Absence(BY_HOST, started_at=0)
    assert detector.advance(9000) == []
    detector.hit({"host": "web1"}, 9000)
    detector.hit({"host": "web2"}, 9300)
    assert [found.key for found in detector.advance(9601)] == [("web1",)]


def test_in_a_scan_the_line_after_the_silence_tells_of_it() -> None:
    detector = Absence(ANY, started_at=0)
    assert [(found.change, found.at) for found in detector.hit({}, 5000)] == [(Change.RAISED, 600), (Change.CLEARED, 5000)]


def test_a_late_line_changes_nothing_and_a_time_far_off_blinds_nothing() -> None:
    detector = Absence(ANY, started_at=0)
    for at in (500, 400, 4e9, 510):
        detector.hit({}, at)
    assert [found.at for found in detector.advance(1200)] == [1110]


def test_a_line_without_the_field_is_of_nobody() -> None:
    detector = Absence(BY_HOST, started_at=0)
    assert detector.hit({"user": "x"}, 0) == [] and detector.without_key == 1 and detector.advance(10_000) == []


def test_a_flood_of_hosts_costs_no_host_that_was_heard_more_often_its_place() -> None:
    detector = Absence(BY_HOST, started_at=0)
    for at in range(3):
        detector.hit({"host": "real"}, at)
    for number in range(20_000):
        detector.hit({"host": f"flood-{number}"}, 3)
    assert detector.forgotten == 20_000 + 1 - 10_000
    assert ("real",) in {found.key for found in detector.advance(603)}


def test_what_nobody_listened_to_was_no_silence() -> None:
    detector = Absence(ANY, started_at=0)
    detector.hit({}, 100)
    detector.advance(400)
    again = Absence.restored(ANY, 9000, json.loads(json.dumps(detector.saved())))
    assert again.advance(9299) == []
    assert [found.at for found in again.advance(9301)] == [9300]


def test_what_was_silent_still_is_after_a_restart() -> None:
    detector = Absence(BY_HOST, started_at=0)
    detector.hit({"host": "web1"}, 0)
    detector.advance(601)
    again = Absence.restored(BY_HOST, 700, json.loads(json.dumps(detector.saved())))
    assert list(again.raised) == [("web1",)] and again.advance(5000) == []


def test_what_was_not_saved_by_it_is_left_out() -> None:
    again = Absence.restored(
        BY_HOST, 0, {"keys": [[["a"], "x", 1, False], [[1], 0, 1, False], None], "now": [], "forgotten": -1}
    )
    assert again.advance(10_000) == [] and again.forgotten == 0


def test_a_rule_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="for_seconds"):
        AbsenceRule(0)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5000)), max_size=40))
def test_never_raised_before_its_time(lines: list[tuple[str, int]]) -> None:
    detector, last = Absence(BY_HOST, started_at=0), dict[tuple[str, ...], int]()
    for host, at in sorted(lines, key=lambda line: line[1]):
        for found in [*detector.advance(at), *detector.hit({"host": host}, at)]:
            assert found.change is Change.CLEARED or at - last[found.key] > 600
        last[host,] = at
