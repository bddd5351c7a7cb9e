"""R13: after a brake everything is looked at anew; nothing that piled up behind it is run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.model.principal import Principal
from zen_agents.ports.store import Brake

ALICE = Principal("alice", 1000)


def _flag(rig: Rig, on: bool) -> None:
    flag = rig.state_dir / "EMERGENCY_STOP"
    flag.write_text("set now by alice: look") if on else flag.unlink()


def _safe_mode(rig: Rig, on: bool) -> None:
    if on:
        rig.parts.safe_mode.enter("odd", ALICE)
    else:
        rig.parts.safe_mode.leave(ALICE, "looked")


def _pause(rig: Rig, on: bool) -> None:
    now = rig.clock.now()
    if on:
        rig.store.set_brake(Brake("pause", "host", "work", "alice", now, now.steady + 86_400))
    else:
        rig.store.lift_brake("pause", "host")


@pytest.mark.parametrize("brake", [_flag, _safe_mode, _pause])
@pytest.mark.parametrize("restarted", [False, True])
async def test_what_piled_up_behind_a_brake_is_not_replayed(
    tmp_path: Path, brake: Callable[[Rig, bool], None], restarted: bool
) -> None:
    names = ["one", "two", "three"]
    rig = Rig(tmp_path, names)
    await rig.turn()
    brake(rig, True)
    for name in names:
        rig.host.crash(name)
        await rig.run(120)
    assert rig.outcomes() == []
    # Two of them are well again before the brake is lifted: only the third is a fault now.
    for name in names[:2]:
        rig.host.start(name)
    rig.host.advance(1.0)
    if restarted:
        rig = rig.restart()
    brake(rig, False)
    rig.tick.forget_waits()
    await rig.run(120)
    assert [(row.target, row.kind.value) for row in rig.store.actions()] == [("service:three", "verified")]
    assert [rig.starts(name) for name in names] == [2, 2, 2]
    assert rig.host.changes == ["run systemctl restart -- three.service"]
