"""Whether a process of those that are meant has run away."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from chaos.simulation.process import TICKS_A_SECOND
from chaos.simulation.view import SimulatedView
from tests.support.asking import ask
from zen_agents.checks.runaway import RunawayCheck
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host_processes import Process
from zen_agents.ports.process_pattern import ProcessPattern

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN
OF_UNIT = ProcessPattern("^crunch$", unit="batch.service")
FOR = 600.0


def look(
    host: SimulatedHost, pattern: ProcessPattern = OF_UNIT, nice: int | None = None, tolerated: float | None = None
) -> Observation:
    check = RunawayCheck(
        "crunch", pattern, every_seconds=15, percent=90, for_seconds=FOR, nice=nice, tolerated_seconds=tolerated
    )  # fmt: skip
    return ask(check, host)["runaway.crunch"]


def crunching(host: SimulatedHost, *, seconds: float = FOR, percent: float = 99.0, **traits: object) -> int:
    given = {"cgroup": "/system.slice/batch.service", **traits}
    since = host.clock.now().steady - seconds
    return host.add_process("crunch", busy=(percent, since), **given).process.pid


def test_busy_for_too_long_is_a_problem_that_names_the_process(host: SimulatedHost) -> None:
    pid = crunching(host)
    found = look(host)
    assert (found.status, found.value, found.target) == (PROBLEM, 99.0, "process:crunch")
    assert found.detail == f"crunch ({pid}) has used 99 % of a CPU for 10 min"
    assert found.fingerprint == host.processes[pid].process.fingerprint


@pytest.mark.parametrize("traits", [{"seconds": FOR - 1}, {"percent": 90.0}, {"cgroup": "/system.slice/other.service"}])
def test_not_for_so_long_not_so_much_and_not_of_that_unit_is_well(host: SimulatedHost, traits: dict[str, object]) -> None:
    crunching(host, **traits)  # type: ignore[arg-type]
    assert look(host).status is OK


def test_program_and_account_must_both_be_right(host: SimulatedHost) -> None:
    pattern = ProcessPattern("crunch", executable="/usr/local/bin/crunch", user="web")
    crunching(host, argv=("/bin/sh", "/usr/local/bin/crunch"), executable="/bin/sh", owner=0)
    crunching(host, argv=("/srv/crunch",), executable="/srv/crunch", owner=1000)
    assert look(host, pattern).status is OK
    crunching(host, argv=("/bin/sh", "/usr/local/bin/crunch"), executable="/bin/sh", owner=1000)
    assert look(host, pattern).status is PROBLEM


def test_one_that_takes_only_what_nobody_else_wants_is_well(host: SimulatedHost) -> None:
    crunching(host, seconds=100 * FOR, niceness=10)
    assert look(host).status is PROBLEM
    assert look(host, nice=11).status is PROBLEM
    assert look(host, nice=10).status is OK
    assert look(host, nice=10, tolerated=2 * FOR).status is PROBLEM
    assert look(host, nice=10, tolerated=200 * FOR).status is OK


def test_one_that_may_have_been_busy_before_anybody_looked_is_unknown_until_that_is_known(host: SimulatedHost) -> None:
    pid = crunching(host, seconds=10 * FOR)
    host.change_process(pid, start_time=0)
    host.busy_since_first_look = host.clock.now().steady
    host.advance(FOR - 1)
    found = look(host)
    assert found.status is UNKNOWN
    assert f"crunch ({pid}) has used 99 % of a CPU; whether for 10 min is known later" in found.detail
    host.advance(1)
    assert look(host).status is PROBLEM


@pytest.mark.parametrize(
    "traits", [{"niceness": 10}, {"start_seconds_ago": FOR - 1}, {"cgroup": "/system.slice/other.service"}]
)
def test_one_that_was_slowed_down_or_is_younger_or_is_another_is_well_after_a_start(
    host: SimulatedHost, traits: dict[str, Any]
) -> None:
    started = traits.pop("start_seconds_ago", 10 * FOR)
    pid = crunching(host, seconds=10 * FOR, **traits)
    host.advance(10 * FOR)
    host.change_process(pid, start_time=int((host.boot_seconds - started) * TICKS_A_SECOND))
    host.busy_since_first_look = host.clock.now().steady
    assert look(host, nice=10).status is OK


@pytest.mark.parametrize("asked", ["cgroup", "niceness"])
def test_one_that_ends_during_the_look_hides_no_other(
    host: SimulatedHost, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, left = crunching(host, seconds=2 * FOR), crunching(host)
    answer = getattr(SimulatedView, asked)

    def ends_first(view: SimulatedView, process: Process) -> object:
        if process.pid == ended and ended in host.processes:
            host.end_process(ended)
        return answer(view, process)

    monkeypatch.setattr(SimulatedView, asked, ends_first)
    found = look(host, nice=10)
    assert (found.status, found.fingerprint) == (PROBLEM, host.processes[left].process.fingerprint)


def test_where_the_first_look_cannot_compare_nothing_is_known(host: SimulatedHost) -> None:
    host.faults.fail("busy_processes")
    assert look(host).status is UNKNOWN
