"""Who uses much of a CPU, and since when: the tables of several looks compared."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.adapters.linux_view_busy import BusyReader
from zen_agents.errors import HostError
from zen_agents.ports.host_processes import Process


class Looking:
    """Looks at processes that use so much of a CPU, one look a second."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.reader = BusyReader(lambda: self.now)
        self.processes: dict[int, Process] = {}

    def runs(self, pid: int, percent: float, *, start_time: int = 1, seconds: float = 1.0) -> None:
        before = self.processes.get(pid)
        used = before.cpu_seconds if before is not None and before.start_time == start_time else 0.0
        self.processes[pid] = Process(pid, start_time, 1, "x", "R", used + percent / 100 * seconds, 0, pid)

    def look(self, above: float = 50.0, *, after: float = 1.0) -> Sequence[tuple[int, float, float]]:
        self.now += after
        found = self.reader.busy(above, self.processes)
        return [(busy.process.pid, round(busy.percent), round(busy.seconds, 3)) for busy in found]


@pytest.fixture
def looking() -> Looking:
    looking = Looking()
    looking.runs(1, 0.0)
    with pytest.raises(HostError):
        looking.look()
    return looking


def test_who_is_above_the_limit_in_each_look_has_been_so_since_the_first(looking: Looking) -> None:
    for second in (1, 2, 3):
        looking.runs(1, 90.0)
        looking.runs(2, 20.0)
        assert looking.look() == [(1, 90, second)]


def test_a_second_look_that_follows_at_once_has_nothing_to_compare_with_either(looking: Looking) -> None:
    looking.runs(1, 90.0)
    with pytest.raises(HostError, match="known from the next look on"):
        looking.look(after=0.05)
    assert looking.look() == [(1, 86, 1.05)]


def test_who_was_busy_at_every_look_may_have_been_so_before(looking: Looking) -> None:
    for share, at_every_look in ((90.0, True), (90.0, True), (10.0, None), (90.0, False)):
        looking.runs(1, share)
        looking.look()
        found = looking.reader.busy(50.0, looking.processes)
        assert [busy.at_every_look for busy in found] == ([] if at_every_look is None else [at_every_look])


def test_one_quiet_look_begins_it_anew(looking: Looking) -> None:
    for percent, seconds in ((90.0, 1), (90.0, 2), (40.0, None), (90.0, 1)):
        looking.runs(1, percent)
        assert looking.look() == ([(1, 90, seconds)] if seconds else [])


def test_each_limit_has_its_own_time(looking: Looking) -> None:
    looking.runs(1, 60.0)
    assert looking.look(50.0) == [(1, 60, 1.0)]
    assert looking.look(80.0, after=0.0) == []
    looking.runs(1, 95.0)
    assert looking.look(80.0) == [(1, 95, 1.0)]
    assert looking.look(50.0, after=0.0) == [(1, 95, 2.0)]


def test_a_number_that_was_given_to_another_begins_anew(looking: Looking) -> None:
    looking.runs(1, 90.0)
    looking.look()
    looking.runs(1, 90.0, start_time=2)
    assert looking.look() == [(1, 90, 1.0)]


def test_looks_that_follow_at_once_say_the_same(looking: Looking) -> None:
    looking.runs(1, 90.0)
    looking.look()
    looking.runs(1, 0.0)
    assert looking.look(after=0.01) == [(1, 90, 1.01)]


def test_a_look_soon_after_another_does_not_begin_it_anew(looking: Looking) -> None:
    # A plan and a deed look again within a part of a second, in which a loop on a busy machine may get no turn at all.
    looking.runs(1, 90.0)
    looking.look()
    looking.runs(1, 0.0)
    assert looking.look(after=0.25) == [(1, 90, 1.25)]
    looking.runs(1, 90.0)
    assert looking.look(after=0.75) == [(1, 90, 2.0)]


def test_longest_comes_first_and_who_is_gone_is_nobody(looking: Looking) -> None:
    looking.runs(2, 90.0)
    looking.look()
    looking.runs(2, 90.0)
    looking.runs(1, 100.0)
    assert [pid for pid, _, _ in looking.look()] == [2, 1]
    del looking.processes[2]
    assert [pid for pid, _, _ in looking.look(after=0.0)] == [1]


@given(shares=st.lists(st.lists(st.integers(0, 200), min_size=3, max_size=3), min_size=1, max_size=8))
def test_it_is_what_counting_says(shares: list[list[int]]) -> None:
    looking = Looking()
    for pid in range(3):
        looking.runs(pid, 0.0)
    with pytest.raises(HostError):
        looking.look()
    run = [0, 0, 0]
    for row in shares:
        for pid, percent in enumerate(row):
            looking.runs(pid, percent + 0.25)
            run[pid] = run[pid] + 1 if percent >= 50 else 0
        assert {pid: seconds for pid, _, seconds in looking.look()} == {pid: count for pid, count in enumerate(run) if count}
