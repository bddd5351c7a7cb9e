"""R8: own effects are no events, and two controllers that undo each other stop and tell."""

from pathlib import Path

from tests.support.rig import Rig
from zen_agents.guards.base import Limit


async def test_somebody_who_undoes_every_repair_is_told_and_not_fought(tmp_path: Path) -> None:
    """Another controller takes the service down a while after each repair, for a whole day."""
    rig = Rig(tmp_path, repairs=Limit(1000, 3600.0), per_target=Limit(1000, 3600.0))
    await rig.turn()
    for _ in range(288):
        if rig.host.services["web"].pid:
            rig.host.crash("web")
        await rig.run(300)
    # Four hours' worth of three, and one trial after each calm: not once in five minutes, which would be 288.
    assert rig.starts() - 1 <= 3 * 6
    assert "recurrence" in rig.reasons() or "flapping" in rig.reasons()
    assert any("keeps coming back" in text for text in rig.summaries())


async def test_its_own_restart_is_no_new_fault(tmp_path: Path) -> None:
    """Stopping and starting wakes whoever watches; the engine sees what it did itself and leaves it."""
    rig = Rig(tmp_path)
    rig.host.services["web"].start_seconds = 8.0
    await rig.turn()
    rig.host.crash("web")
    await rig.run(600)
    assert rig.outcomes() == ["verified"]
    assert rig.starts() == 2
    assert len(rig.store.incidents()) == 1
