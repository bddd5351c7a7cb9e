"""A state that cannot be written for a while: the engine watches and tells, acts on nothing, and forgets nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.rig import Rig
from tests.support.state import locked
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.model.agent import AgentState
from zen_agents.model.incident import IncidentState


async def test_an_agent_goes_on_watching_and_telling_while_the_state_is_locked(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rule={"ladder": ()})
    await rig.turn()
    with locked(tmp_path / "state.db"):
        rig.host.crash("web")
        for _ in range(6):
            await asyncio.wait_for(rig.running.turn(everything=True), 20)
            rig.host.advance(5)
        assert rig.running.state is AgentState.RUNNING
        assert any("web bad" in text for text in rig.summaries())
        assert any("not writable" in text for text in rig.summaries("engine"))


async def test_what_was_decided_while_the_state_was_locked_is_written_afterwards(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    with locked(tmp_path / "state.db"):
        rig.host.crash("web")
        await rig.running.turn(everything=True)
    rig.host.advance(5)
    await rig.running.turn(everything=True)
    other = SqliteStore.open_read_only(tmp_path / "state.db")
    assert [incident.state for incident in other.live_incidents()] == [IncidentState.OPEN]
    assert [brake.kind for brake in other.brakes()] == ["safe_mode"]
    other.close()


async def test_safe_mode_that_could_not_be_written_holds_when_the_state_is_writable_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    with locked(tmp_path / "state.db"):
        rig.parts.safe_mode.enter("odd disk errors")
    rig.store.put("some", "fact")
    rig.store.commit()
    assert rig.store.writable()
    rig.host.crash("web")
    await rig.run(60)
    assert (rig.outcomes(), rig.starts()) == ([], 1)
    assert "safe_mode" in rig.reasons()
    assert [brake.kind for brake in rig.store.brakes()] == ["safe_mode"]
