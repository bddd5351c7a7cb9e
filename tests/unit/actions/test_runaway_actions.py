"""A process that has run away is slowed down, or ended: that very one, and nobody else."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from tests.support.changing import IS_ROOT, Changing, changing, until
from zen_agents.actions.base import Action
from zen_agents.actions.give_back_priority import GiveBackPriority
from zen_agents.actions.kill_process import KillProcess, KillProcessPolicy
from zen_agents.actions.renice_process import ReniceProcess, ReniceProcessPolicy
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan

WHICH = {"match": "^crunch$", "unit": "batch.service", "cpu_percent": 90.0, "for_seconds": 60.0}
ACTIONS: tuple[Action, ...] = (ReniceProcess(), KillProcess())
EACH = pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost(seed=3)


def crunching(host: SimulatedHost, *, seconds: float = 60.0, name: str = "crunch", **traits: Any) -> int:
    busy = (99.0, host.clock.now().steady - seconds)
    return host.add_process(name, busy=busy, cgroup="/system.slice/batch.service", **traits).process.pid


def plan(host: SimulatedHost, action: Action, **params: Any) -> Plan:
    return action.plan(ActionRequest(action.name, "process:crunch", {**WHICH, **params}), host.look())


@EACH
async def test_only_the_one_that_has_run_away_is_touched(host: SimulatedHost, action: Action) -> None:
    crunching(host, seconds=59)
    crunching(host, name="crunchy")
    runaway = crunching(host)
    made = plan(host, action)
    assert [touched.name for touched in made.touches] == [host.processes[runaway].process.fingerprint]
    await action.execute(made, host.control())
    assert len(host.changes) == 1
    assert f"process {runaway}" in host.changes[0]


@EACH
def test_where_none_has_run_away_there_is_nothing_to_do(host: SimulatedHost, action: Action) -> None:
    crunching(host, seconds=10)
    with pytest.raises(StalePlanError):
        plan(host, action)


@EACH
async def test_another_process_than_planned_for_is_left(host: SimulatedHost, action: Action) -> None:
    first = crunching(host)
    made = plan(host, action)
    host.end_process(first)
    crunching(host)
    with pytest.raises(StalePlanError):
        await action.execute(made, host.control())
    assert host.changes == []


@EACH
async def test_the_emergency_stop_comes_before_it(host: SimulatedHost, action: Action) -> None:
    crunching(host)
    made, control = plan(host, action), host.control()
    control.stopped = True
    with pytest.raises(RefusedError):
        await action.execute(made, control)
    assert host.changes == []


@EACH
@pytest.mark.parametrize("wrong", [{"match": "("}, {"cpu_percent": 0}, {"unit": "batch"}, {"executable": "crunch"}])
def test_what_nobody_can_mean_is_no_parameter(host: SimulatedHost, action: Action, wrong: dict[str, Any]) -> None:
    crunching(host)
    with pytest.raises(ValidationError):
        plan(host, action, **wrong)


def test_killing_ends_one_and_the_one_that_is_busy_for_longest(host: SimulatedHost) -> None:
    crunching(host)
    longest = crunching(host, seconds=500)
    assert plan(host, KillProcess()).fingerprint == host.processes[longest].process.fingerprint


def test_the_main_process_of_a_unit_is_that_unit_too(host: SimulatedHost) -> None:
    host.add_service("crunch", unit="batch.service")
    host.start("crunch")
    host.processes[host.services["crunch"].pid].busy = (99.0, 0.0)
    assert [touched.name for touched in plan(host, KillProcess()).touches][1:] == ["batch.service"]


def test_nothing_may_be_killed_that_is_not_named(host: SimulatedHost) -> None:
    crunching(host)
    made = plan(host, KillProcess())
    assert KillProcessPolicy().permits(made)
    assert KillProcessPolicy(match="").permits(made)
    assert KillProcessPolicy(match="^backup").permits(made)
    assert KillProcessPolicy(match="^crunch$").permits(made) == ""


def test_slowing_down_is_allowed_by_name_and_depth(host: SimulatedHost) -> None:
    crunching(host)
    made = plan(host, ReniceProcess(), nice=15)
    assert ReniceProcessPolicy().permits(made) == ""
    assert ReniceProcessPolicy(match="^backup").permits(made)
    assert ReniceProcessPolicy(nice=10).permits(made) == "niceness 15 is above 10"


def test_nobody_gets_a_higher_priority(host: SimulatedHost) -> None:
    crunching(host, niceness=12)
    with pytest.raises(StalePlanError):
        plan(host, ReniceProcess(), nice=10)


async def undone(host: SimulatedHost, made: Plan, effect: Effect) -> Plan:
    request = ReniceProcess().inverse(made, effect)
    assert request is not None
    return GiveBackPriority().plan(request, host.look())


async def test_each_gets_back_what_it_had(host: SimulatedHost) -> None:
    pids = [crunching(host, niceness=nice) for nice in (0, 5)]
    made = plan(host, ReniceProcess())
    back = await undone(host, made, await ReniceProcess().execute(made, host.control()))
    assert [host.processes[pid].niceness for pid in pids] == [10, 10]
    await GiveBackPriority().execute(back, host.control())
    assert [host.processes[pid].niceness for pid in pids] == [0, 5]
    assert GiveBackPriority().missing(back, host.look()) == ""


async def test_what_somebody_else_changed_since_or_is_gone_is_not_taken_back(host: SimulatedHost) -> None:
    changed, gone = crunching(host), crunching(host)
    made = plan(host, ReniceProcess())
    effect = await ReniceProcess().execute(made, host.control())
    host.processes[changed].niceness = 19
    host.end_process(gone)
    with pytest.raises(StalePlanError):
        await undone(host, made, effect)


# -- on this very host ------------------------------------------------------------------------------------------------
@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


_SPIN = """
import threading
def spin():
    while True:
        pass
threading.Thread(target=spin, daemon=True).start()
spin()
"""


@pytest.fixture
def spinning(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "spin.py").write_text(_SPIN)
    with subprocess.Popen([sys.executable, str(tmp_path / "spin.py")]) as child:
        yield child
        child.kill()


async def busy_enough(here: Changing, action: Action, child: subprocess.Popen[bytes], **params: Any) -> Plan:
    """Return the plan once it has been seen to be busy."""
    which = {
        "match": "python", "executable": child.args[1], "user": str(os.geteuid()), "cpu_percent": 5.0, "for_seconds": 0.2,
        **params,
    }  # fmt: skip
    plans: list[Plan] = []

    def planned() -> bool:
        with contextlib.suppress(StalePlanError, HostError):
            plans.append(here.plan(action, "process:crunch", which))
        return bool(plans)

    await until(planned)
    return plans[0]


def priorities(pid: int) -> list[int]:
    return [os.getpriority(os.PRIO_PROCESS, int(each.name)) for each in Path(f"/proc/{pid}/task").iterdir()]


async def test_each_thread_of_a_real_process_is_slowed_down_and_given_back(
    here: Changing, spinning: subprocess.Popen[bytes]
) -> None:
    before = os.getpriority(os.PRIO_PROCESS, spinning.pid)
    nice = min(19, before + 2)
    made = await busy_enough(here, ReniceProcess(), spinning, nice=nice)
    effect = await ReniceProcess().execute(made, here.control())
    assert priorities(spinning.pid) == [nice, nice]
    if not IS_ROOT:
        pytest.skip("only root may raise a priority again")
    request = ReniceProcess().inverse(made, effect)
    assert request is not None
    back = GiveBackPriority().plan(request, here.host.look())
    await GiveBackPriority().execute(back, here.control("act-test01"))
    assert priorities(spinning.pid) == [before, before]


async def test_a_real_process_is_ended(here: Changing, spinning: subprocess.Popen[bytes]) -> None:
    made = await busy_enough(here, KillProcess(), spinning, stop_timeout_seconds=5.0)
    effect = await KillProcess().execute(made, here.control())
    assert effect.ok
    assert spinning.wait(5) < 0
