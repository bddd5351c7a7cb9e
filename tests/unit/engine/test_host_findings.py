"""What system_health finds about a simulated host as a whole: told once, cleared with hysteresis, never acted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rig import Rig
from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.ports.host_resources import Pressure


def health_rig(state_dir: Path, **settings: Any) -> Rig:
    """Return an engine whose only agent is system_health as it ships, with these settings."""
    rig = Rig(state_dir, [])
    rig.host.files.disk_of("/").foreign_bytes = 10 << 30
    context = AgentContext("host", mounts=tuple(rig.host.look().mounts()))
    rig.tick.rebuild(SystemHealthAgent(SystemHealthSettings(**settings), context))
    return rig


def told(rig: Rig, what: str) -> list[str]:
    """Return what people were told about a rule, in order: firing or resolved."""
    return [m.kind.value for m in rig.told.messages if m.rule == f"system_health.{what}"]


async def test_a_calm_host_is_not_talked_about(tmp_path: Path) -> None:
    rig = health_rig(tmp_path)
    await rig.run(4 * 3600)
    assert rig.told.messages == []
    assert rig.reasons() == [] or set(rig.reasons()) <= {"unknown_observation"}


async def test_a_busy_cpu_is_told_once_after_its_time_and_cleared_below_the_clear_level(tmp_path: Path) -> None:
    rig = health_rig(tmp_path, cpu_threshold=80)
    await rig.run(60)
    rig.host.use_cpu(95)
    await rig.run(290)
    assert told(rig, "cpu") == []
    await rig.run(60)
    assert told(rig, "cpu") == ["firing"]
    # Between clear and threshold it flutters nobody.
    for percent in (78, 90, 76, 95, 79):
        rig.host.use_cpu(percent)
        await rig.run(300)
    assert told(rig, "cpu") == ["firing"]
    rig.host.use_cpu(20)
    await rig.run(120)
    assert told(rig, "cpu") == ["firing", "resolved"]
    assert rig.outcomes() == []


async def test_a_peak_shorter_than_its_time_is_not_told(tmp_path: Path) -> None:
    rig = health_rig(tmp_path)
    for _ in range(10):
        rig.host.use_cpu(100)
        await rig.run(240)
        rig.host.use_cpu(10)
        await rig.run(60)
    assert told(rig, "cpu") == []


@pytest.mark.parametrize("what", ["memory", "swap", "load", "pressure.memory"])
async def test_want_of_a_resource_is_told_once_and_never_acted_on(tmp_path: Path, what: str) -> None:
    rig = health_rig(tmp_path)
    await rig.run(60)
    memory = rig.host.memory
    if what == "memory":
        rig.host.memory = memory._replace(available=memory.total // 20)
    elif what == "swap":
        rig.host.memory = memory._replace(swap_free=memory.swap_total // 50)
    elif what == "load":
        rig.host.load = (30.0, 30.0, 30.0)
    else:
        rig.host.pressure["memory"] = Pressure(50, 50, 50, 40, 40, 40)
    await rig.run(3600)
    assert told(rig, what) == ["firing"]
    rig.host.memory, rig.host.load = memory, (0.1, 0.1, 0.1)
    rig.host.pressure["memory"] = Pressure(0, 0, 0, 0, 0, 0)
    await rig.run(600)
    assert told(rig, what) == ["firing", "resolved"]
    assert (rig.outcomes(), rig.host.changes, rig.controls) == ([], [], [])


async def test_a_full_disk_is_told_and_so_is_one_that_fills(tmp_path: Path) -> None:
    rig = health_rig(tmp_path)
    await rig.run(60)
    disk = rig.host.files.disk_of("/")
    disk.foreign_bytes = 60 << 30
    await rig.run(600)
    for _ in range(90):
        disk.foreign_bytes += 64 << 20
        await rig.run(60)
    assert told(rig, "disk.filling") == ["firing"]
    disk.foreign_bytes = 95 << 30
    await rig.run(1200)
    assert told(rig, "disk") == ["firing"]
    assert rig.outcomes() == []


@pytest.mark.parametrize("seconds", [3600.0, -86_400.0])
async def test_a_clock_that_was_set_is_told_once(tmp_path: Path, seconds: float) -> None:
    rig = health_rig(tmp_path)
    await rig.run(60)
    rig.clock.jump_wall(seconds)
    await rig.run(120)
    firing = [m for m in rig.told.messages if m.rule == "system_health.clock" and m.kind.value == "firing"]
    assert len(firing) == 1
    assert f"{abs(seconds):.1f}" in firing[0].facts["state"] or f"{seconds:.4g}" in firing[0].facts["state"]


async def test_slewing_by_ntp_is_nothing(tmp_path: Path) -> None:
    rig = health_rig(tmp_path)
    for _ in range(100):
        rig.clock.jump_wall(0.02)
        await rig.run(15)
    assert rig.told.messages == []


async def test_no_data_is_no_problem_and_told_once_in_the_end(tmp_path: Path) -> None:
    rig = health_rig(tmp_path)
    await rig.run(60)
    rig.host.use_cpu(99)
    rig.host.faults.fail("cpu_times")
    await rig.run(600)
    assert told(rig, "cpu") == []
    await rig.run(3600)
    assert told(rig, "cpu") == ["firing"]
    assert rig.outcomes() == []
