"""The unit of a runaway gets no more than a share of a CPU, and gets it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.cap_cpu import CapCpu
from zen_agents.actions.give_back_cpu_quota import GiveBackCpuQuota
from zen_agents.adapters.linux_view_cgroups import CgroupReader
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan

GROUP = "/system.slice/batch.service"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost(seed=4)
    host.add_service("batch", unit="batch.service")
    host.start("batch")
    host.add_process("crunch", busy=(99.0, 0.0), cgroup=GROUP)
    return host


def plan(host: SimulatedHost, **params: Any) -> Plan:
    which = {"match": "^crunch$", "unit": "batch.service", "cpu_percent": 90.0, "for_seconds": 60.0, "quota_percent": 25.0}
    return CapCpu().plan(ActionRequest("cap_cpu", "process:crunch", {**which, **params}), host.look())


async def capped(host: SimulatedHost) -> tuple[Plan, Effect]:
    made = plan(host)
    return made, await CapCpu().execute(made, host.control())


def back(host: SimulatedHost, made: Plan, effect: Effect) -> Plan:
    request = CapCpu().inverse(made, effect)
    assert request is not None
    return GiveBackCpuQuota().plan(request, host.look())


@pytest.mark.parametrize("was", [None, 80.0])
async def test_the_unit_is_capped_and_gets_back_what_it_had(host: SimulatedHost, was: float | None) -> None:
    if was is not None:
        host.cpu_quotas[GROUP] = was
    made, effect = await capped(host)
    assert effect.ok
    assert (effect.detail, host.cpu_quotas) == ("batch.service may use 25 % of a CPU now", {GROUP: 25.0})
    assert host.changes == ["run systemctl set-property --runtime -- batch.service CPUQuota=25%"]
    undo = back(host, made, effect)
    assert GiveBackCpuQuota().missing(undo, host.look()).startswith("batch.service may use 25 % of a CPU, not ")
    assert (await GiveBackCpuQuota().execute(undo, host.control())).ok
    assert host.cpu_quotas.get(GROUP) == was
    assert GiveBackCpuQuota().missing(undo, host.look()) == ""


async def test_what_somebody_set_since_is_not_taken_back(host: SimulatedHost) -> None:
    made, effect = await capped(host)
    undo = back(host, made, effect)
    host.cpu_quotas[GROUP] = 60.0
    with pytest.raises(StalePlanError):
        back(host, made, effect)
    with pytest.raises(StalePlanError):
        await GiveBackCpuQuota().execute(undo, host.control())
    assert host.cpu_quotas == {GROUP: 60.0}


async def test_what_changed_between_plan_and_deed_is_left(host: SimulatedHost) -> None:
    made = plan(host)
    host.cpu_quotas[GROUP] = 60.0
    with pytest.raises(StalePlanError):
        await CapCpu().execute(made, host.control())
    assert host.changes == []


async def test_what_the_kernel_shows_a_moment_after_systemd_has_answered_is_a_success(host: SimulatedHost) -> None:
    # With version 2 systemd hands the controller down, or takes it away, only once it has answered.
    made = plan(host)
    host.faults.answer("cpu_quota", None, times=3)
    effect = await CapCpu().execute(made, host.control())
    assert (effect.ok, effect.after) == (True, "25 % of a CPU")
    undo = back(host, made, effect)
    host.faults.answer("cpu_quota", 25.0, times=3)
    effect = await GiveBackCpuQuota().execute(undo, host.control())
    assert (effect.ok, effect.after) == (True, "as much as there is")


async def test_a_quota_that_the_kernel_does_not_show_is_no_success(
    host: SimulatedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zen_agents.actions.give_back_cpu_quota._SHOWN_WITHIN_SECONDS", 0.1)
    made = plan(host)
    host.faults.answer("cpu_quota", None)
    effect = await CapCpu().execute(made, host.control())
    assert not effect.ok


def test_where_it_would_do_nothing_or_something_else_it_is_refused(host: SimulatedHost) -> None:
    host.cpu_quotas[GROUP] = 20.0
    with pytest.raises(StalePlanError, match="20 % of a CPU only already"):
        plan(host)
    host.cpu_quotas.clear()
    host.limits_cpu = False
    with pytest.raises(RefusedError, match="no CPU controller"):
        plan(host)
    host.limits_cpu = True
    host.processes[max(host.processes)].cgroup = "/user.slice/batch.service/session-3.scope"
    with pytest.raises(RefusedError, match="no service's"):
        plan(host)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cgroup.controllers": "cpu io", "a.service/cpu.max": "25000 100000\n"}, 25.0),
        ({"cgroup.controllers": "cpu io", "a.service/cpu.max": "max 100000\n"}, None),
        ({"cgroup.controllers": "cpu io"}, None),
        ({"cpu/a.service/cpu.cfs_quota_us": "50000\n", "cpu/a.service/cpu.cfs_period_us": "100000\n"}, 50.0),
        ({"cpu/a.service/cpu.cfs_quota_us": "-1\n", "cpu/a.service/cpu.cfs_period_us": "100000\n"}, None),
    ],
)
def test_quotas_are_read_of_both_versions_of_cgroups(tmp_path: Path, files: dict[str, str], quota: float | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert CgroupReader(str(tmp_path)).cpu_quota("/a.service") == quota


@pytest.mark.parametrize(
    ("files", "can"),
    [
        ({"cgroup.controllers": "cpuset cpu io"}, True),
        ({"cgroup.controllers": "cpuset hugetlb"}, False),
        ({"cpu/cpu.shares": "1024"}, True),
        ({}, False),
    ],
)
def test_whether_cpus_can_be_limited_at_all(tmp_path: Path, files: dict[str, str], can: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert CgroupReader(str(tmp_path)).can_limit_cpu() is can


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"cgroup.controllers": "memory", "a.slice/memory.max": "1000", "a.slice/b.service/memory.max": "max"}, 1000),
        ({"cgroup.controllers": "memory", "a.slice/memory.max": "1000", "a.slice/b.service/memory.max": "300"}, 300),
        ({"cgroup.controllers": "memory"}, None),
        ({"memory/a.slice/b.service/memory.limit_in_bytes": "9223372036854771712"}, None),
        ({"memory/memory.limit_in_bytes": "700", "memory/a.slice/b.service/memory.limit_in_bytes": "9000"}, 700),
    ],
)
def test_the_tightest_limit_of_memory_on_the_way_up_counts(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert CgroupReader(str(tmp_path)).memory_limit("/a.slice/b.service") == limit
