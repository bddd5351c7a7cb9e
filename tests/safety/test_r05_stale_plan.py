"""R5 and R20: what changed between the decision and the act is not acted on."""

import asyncio
from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.ports.host import HostView


@pytest.mark.parametrize("change", ["came back", "another run", "stopped by a person"])
async def test_a_target_that_changed_since_it_was_judged_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    looks: list[int] = []
    plan, loop = Restart.plan, asyncio.get_running_loop()

    def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
        looks.append(1)
        made = plan(self, request, host)
        if len(looks) == 1:
            loop.call_soon_threadsafe(changes)
        return made

    def changes() -> None:
        rig.host.clock.advance(0.5)
        if change == "stopped by a person":
            rig.host.stop("web")
        else:
            rig.host.services["web"].started_at.clear()
            rig.host.start("web")
        if change == "another run":
            rig.host.crash("web")

    monkeypatch.setattr(Restart, "plan", planned)
    rig.host.crash("web")
    before = rig.starts()
    rig.host.advance(5)
    await rig.turn()
    assert len(looks) == 2
    assert rig.controls == []
    assert rig.starts() == before + (change != "stopped by a person")
    assert "stale_plan" in rig.reasons()
    assert rig.outcomes() == []


async def test_a_retry_rests_on_a_look_of_its_own(tmp_path: Path) -> None:
    """Looked at every five minutes: a service that somebody brought back meanwhile is not restarted by the next retry."""
    rig = Rig(tmp_path, every_seconds=300.0)
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(301)
    assert rig.outcomes() == ["failed"]
    rig.host.services["web"].refuses_to_start = False
    rig.host.start("web")
    await rig.run(120)
    assert rig.outcomes() == ["failed"]
    assert rig.starts() == 2
    assert rig.store.incidents()[0].resolved_by == "itself"


async def test_a_lifted_refusal_rests_on_a_look_of_its_own(tmp_path: Path) -> None:
    rig = Rig(tmp_path, every_seconds=300.0, mode="observe")
    rig.host.crash("web")
    await rig.turn()
    rig.host.advance(1.0)
    rig.host.start("web")
    rig.parts.policy = Rig(tmp_path / "other").parts.policy
    rig.tick.forget_waits()
    await rig.run(100)
    assert rig.outcomes() == []
    assert rig.starts() == 2
