"""Whether a service takes ever more memory, descriptors, or places in the process table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.simulation.host import SimulatedHost
from tests.support.asking import ask
from zen_agents.checks.leak import LeakCheck, steady_growth
from zen_agents.checks.process import ByUnit
from zen_agents.model.observation import Status
from zen_agents.ports.host_resources import Memory

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN
MIB = 1 << 20
OVER, AHEAD, EVERY = 600.0, 300.0, 30.0


@pytest.fixture
def host(host: SimulatedHost) -> SimulatedHost:
    host.add_service("web", unit="web.service")
    host.start("web")
    return host


def leak(memory_bytes: int | None = None) -> LeakCheck:
    find = ByUnit("web.service")
    return LeakCheck("web", find, every_seconds=EVERY, memory_bytes=memory_bytes, over_seconds=OVER, ahead_seconds=AHEAD)


def main_pid(host: SimulatedHost) -> int:
    return host.services["web"].pid


def grow(host: SimulatedHost, check: LeakCheck, mib_per_look: float, *, looks: int = 30) -> Status:
    """Let it grow by so much from look to look and return what the last one said of its memory."""
    status = UNKNOWN
    for _ in range(looks):
        host.advance(EVERY)
        size = host.processes[main_pid(host)].process.resident_bytes + int(mib_per_look * MIB)
        host.change_process(main_pid(host), resident_bytes=size)
        status = ask(check, host)["leak.web.memory"].status
    return status


def test_a_service_that_is_well_says_so(host: SimulatedHost) -> None:
    found = ask(leak(), host)
    assert {name: (each.status, each.target) for name, each in found.items()} == dict.fromkeys(
        ("leak.web.memory", "leak.web.descriptors_percent", "leak.web.zombies"), (OK, "service:web")
    )


def test_of_a_service_that_does_not_run_nothing_is_known(host: SimulatedHost) -> None:
    host.stop("web")
    assert {each.status for each in ask(leak(), host).values()} == {UNKNOWN}


def test_above_its_limit_it_is_bad_at_once(host: SimulatedHost) -> None:
    host.change_process(main_pid(host), resident_bytes=65 * MIB)
    found = ask(leak(64 * MIB), host)["leak.web.memory"]
    assert (found.status, found.value) == (PROBLEM, 65.0 * MIB)
    assert found.detail == f"web ({main_pid(host)}) holds 65.0 MiB, more than 64.0 MiB"


def test_its_largest_process_counts_and_not_the_sum(host: SimulatedHost) -> None:
    for _ in range(4):
        child = host.add_process("worker", parent=main_pid(host)).process.pid
        host.change_process(child, resident_bytes=40 * MIB)
    assert ask(leak(64 * MIB), host)["leak.web.memory"].status is OK
    host.change_process(child, resident_bytes=70 * MIB)
    found = ask(leak(64 * MIB), host)["leak.web.memory"]
    assert found.status is PROBLEM
    assert found.detail.startswith(f"worker ({child}) holds 70.0 MiB")


def test_steady_growth_is_bad_before_the_limit_is_reached(host: SimulatedHost) -> None:
    host.advance(OVER)
    assert grow(host, leak(400 * MIB), 10.0) is PROBLEM  # 310 MiB, and 400 after 4 minutes and a half
    assert host.processes[main_pid(host)].process.resident_bytes < 400 * MIB


@pytest.mark.parametrize("end", ["cgroup", "host"])
def test_without_a_limit_of_its_own_what_the_kernel_grants_is_the_end(host: SimulatedHost, end: str) -> None:
    host.advance(OVER)
    check = leak()
    assert grow(host, check, 10.0) is OK
    if end == "cgroup":
        host.processes[main_pid(host)].memory_limit = 400 * MIB
    else:
        host.memory = Memory(8 << 30, 50 * MIB, 0, 0)
    host.advance(EVERY)
    host.change_process(main_pid(host), resident_bytes=320 * MIB)
    found = ask(check, host)["leak.web.memory"]
    assert found.status is PROBLEM
    assert ("of its cgroup" if end == "cgroup" else "the host's memory") in found.detail


def test_what_grows_slowly_shrinks_or_swings_is_no_leak(host: SimulatedHost) -> None:
    host.advance(OVER)
    check = leak(400 * MIB)
    assert grow(host, check, 0.1) is OK
    assert grow(host, check, -0.1) is OK
    for turn in range(12):
        assert grow(host, check, 25.0 if turn % 2 else -25.0, looks=2) is OK


def test_whoever_starts_grows(host: SimulatedHost) -> None:
    assert grow(host, leak(400 * MIB), 18.0, looks=19) is OK


def test_of_an_old_process_a_trend_is_known_only_after_its_time(host: SimulatedHost) -> None:
    host.advance(10 * OVER)
    assert grow(host, leak(400 * MIB), 10.0, looks=15) is UNKNOWN


def test_after_a_restart_it_is_well_at_once(host: SimulatedHost) -> None:
    host.advance(OVER)
    check = leak(400 * MIB)
    assert grow(host, check, 10.0) is PROBLEM
    host.stop("web")
    host.start("web")
    assert ask(check, host)["leak.web.memory"].status is OK


def test_the_worst_of_its_processes_counts_for_descriptors(host: SimulatedHost) -> None:
    child = host.add_process("worker", parent=main_pid(host), descriptors=(250, 256)).process.pid
    found = ask(leak(), host)["leak.web.descriptors_percent"]
    assert found.value == pytest.approx(97.7, abs=0.1)
    assert found.detail == f"worker ({child}) has 250 of 256 descriptors open"


def test_only_its_own_ended_children_count(host: SimulatedHost) -> None:
    for parent in (main_pid(host), main_pid(host), 1):
        pid = host.add_process("child", parent=parent).process.pid
        host.change_process(pid, state="Z")
    assert ask(leak(), host)["leak.web.zombies"].value == 2


SIZES = st.lists(st.integers(0, 1 << 40), min_size=2, max_size=40)


@given(sizes=SIZES)
def test_what_never_rises_never_grows(sizes: list[int]) -> None:
    falling = sorted(sizes, reverse=True)
    assert steady_growth(list(enumerate(map(float, falling)))) == 0


@given(start=st.integers(0, 1 << 40), step=st.integers(1, 1 << 30), count=st.integers(3, 60))
def test_a_line_grows_by_its_step(start: int, step: int, count: int) -> None:
    points = [(float(number), float(start + number * step)) for number in range(count)]
    assert steady_growth(points) == pytest.approx(step, rel=0.01)
