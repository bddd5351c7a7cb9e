"""signal_parent: zombies are cleared away by the process whose children they are, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.changing import Changing, changing, until
from zen_agents.actions.signal_parent import SignalParent
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan

#: Its children ended before it asked to be told of that, so that it has missed it.
_MISSED = """
import os, signal
children = [os.fork() or os._exit(0) for _ in range(3)]
for child in children:
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
signal.signal(signal.SIGCHLD, lambda *_: [os.waitpid(-1, 0) for _ in range(3)])
print("up", flush=True)
input()
"""


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


def zombies(here: Changing, parent: int) -> int:
    return sum(each.parent == parent and each.state == "Z" for each in here.host.look().processes().values())


def _of(here: Changing, pid: int) -> tuple[str, str]:
    """Return state and program of a process."""
    view = here.host.look()
    process = view.process(pid)
    assert process is not None
    return process.state, view.executable(process)


@pytest.fixture
def parent() -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-c", _MISSED], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    yield child.pid
    child.kill()
    child.communicate()


async def test_a_parent_that_missed_the_end_of_its_children_asks_for_them(
    here: Changing, tmp_path: Path, parent: int
) -> None:
    assert zombies(here, parent) == 3
    (tmp_path / "app.pid").write_text(f"{parent}\n")
    executable = _of(here, parent)[1]
    params = {"service": "app", "pidfile": str(tmp_path / "app.pid"), "user": str(os.geteuid()), "executable": executable}
    effect = await here.act(SignalParent(), "service:app", params)
    assert effect.ok
    await until(lambda: zombies(here, parent) == 0)
    assert _of(here, parent)[0] not in "ZX"


def piled_up(host: SimulatedHost) -> int:
    """Let a worker of web have two ended children, and somebody else one; return the worker's pid."""
    host.add_service("web", unit="web.service")
    host.start("web")
    worker = host.add_process("worker", parent=host.services["web"].pid).process.pid
    for parent in (worker, worker, 1):
        host.change_process(host.add_process("job", parent=parent).process.pid, state="Z")
    return worker


def plan(host: SimulatedHost, **params: object) -> Plan:
    given = {"service": "web", "unit": "web.service", **params}
    return SignalParent().plan(ActionRequest("signal_parent", "service:web", given), host.look())


def test_only_the_parents_within_the_service_are_told() -> None:
    host = SimulatedHost()
    worker = piled_up(host)
    made = plan(host)
    assert made.steps == (f"signal CHLD to process {worker} (worker), which has 2 ended children",)
    assert [touched.name for touched in made.touches] == [host.processes[worker].process.fingerprint]


async def test_no_other_signal_goes_anywhere() -> None:
    host = SimulatedHost()
    worker = piled_up(host)
    await SignalParent().execute(plan(host), host.control())
    assert host.changes == [f"signal {signal.SIGCHLD:d} to process {worker}"]


async def test_another_parent_than_planned_for_is_left() -> None:
    host = SimulatedHost()
    worker = piled_up(host)
    made = plan(host)
    host.change_process(worker, start_time=1)
    with pytest.raises(StalePlanError):
        await SignalParent().execute(made, host.control())
    assert host.changes == []


def test_where_nothing_is_left_behind_there_is_nothing_to_do() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    with pytest.raises(StalePlanError):
        plan(host)
    host.start("web")
    with pytest.raises(StalePlanError):
        plan(host)


def test_a_service_that_nobody_knows_and_one_of_another_name_are_refused() -> None:
    host = SimulatedHost()
    piled_up(host)
    with pytest.raises(HostError):
        plan(host, unit="nobody.service")
    with pytest.raises(RefusedError):
        plan(host, service="db")
