"""What leads to safe mode is counted on over a restart, and begins anew when a person leaves it."""

from __future__ import annotations

from pathlib import Path

from tests.support.rig import Rig
from zen_agents.engine.safe_mode import SafeModeTriggers
from zen_agents.guards.base import Limit
from zen_agents.model.principal import Principal

ALICE = Principal("alice", 1000)
AMPLE = {"repairs": Limit(100, 3600.0), "triggers": SafeModeTriggers(exhausted=2)}


async def exhaust(rig: Rig, name: str) -> None:
    rig.host.services[name].refuses_to_start = True
    rig.host.crash(name)
    await rig.run(600)


async def test_incidents_that_no_rung_helped_count_over_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ["one", "two"], **AMPLE)
    await rig.turn()
    await exhaust(rig, "one")
    assert rig.parts.safe_mode.brake is None
    rig = rig.restart(**AMPLE)
    await exhaust(rig, "two")
    assert rig.parts.safe_mode.brake is not None


async def test_they_do_not_count_any_more_once_safe_mode_was_left(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ["one", "two", "three"], **AMPLE)
    await rig.turn()
    await exhaust(rig, "one")
    await exhaust(rig, "two")
    assert rig.parts.safe_mode.leave(ALICE, "looked at")
    rig = rig.restart(**AMPLE)
    await exhaust(rig, "three")
    assert rig.parts.safe_mode.brake is None


async def test_unknown_outcomes_count_over_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ["one", "two"])
    await rig.turn()

    def odd(_: object) -> object:
        raise RuntimeError("nobody knows how far it came")

    rig.parts.executor._control = odd  # type: ignore[assignment]
    rig.host.crash("one")
    await rig.run(60)
    assert rig.outcomes() == ["unknown"]
    assert rig.parts.safe_mode.brake is None
    rig = rig.restart()
    rig.parts.executor._control = odd  # type: ignore[assignment]
    rig.host.crash("two")
    await rig.run(60)
    assert rig.parts.safe_mode.brake is not None
