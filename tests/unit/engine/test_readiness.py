"""What the first repair needs is loaded ahead of it, once, and by that nothing is decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.engine import judging
from zen_agents.guards.base import Question
from zen_agents.model.action import ActionRequest, Resource, ResourceKind
from zen_agents.model.entry import EntryKind


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Return what the guards were asked, as it grows."""
    questions: list[Question] = []
    real = judging.assess
    monkeypatch.setattr(judging, "assess", lambda question, guards: questions.append(question) or real(question, guards))
    return questions


async def test_each_action_of_a_ladder_is_made_ready_once_after_the_first_turn(
    tmp_path: Path, asked: list[Question]
) -> None:
    rig = Rig(tmp_path, ["web", "db"])
    loaded: list[str] = []
    rig.parts.get_ready = loaded.extend
    for _ in range(2):
        await rig.running.turn(everything=True)
    assert [question.request.action for question in asked] == ["restart_service"]
    assert asked[0].plan.steps == ()
    assert asked[0].plan.touches == (Resource(ResourceKind.SERVICE, "/"),), "there is no such service"
    assert loaded == ["restart_service"]
    assert rig.controls == [] and rig.outcomes() == []
    assert rig.store.entries(kinds=[EntryKind.DECISION, EntryKind.INTENT], limit=10) == []


@pytest.mark.parametrize("changes", [{"mode": "observe"}, {"rule": {"ladder": ()}}])
async def test_an_engine_that_changes_nothing_loads_nothing_for_it(
    tmp_path: Path, asked: list[Question], changes: dict[str, Any]
) -> None:
    rig = Rig(tmp_path, **changes)
    rig.parts.get_ready = lambda _: pytest.fail("something was loaded")
    await rig.running.turn()
    assert asked == []


async def test_what_cannot_be_made_ready_fails_where_it_is_needed_and_not_before(
    tmp_path: Path, asked: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(action: Restart, request: ActionRequest) -> None:
        raise RuntimeError("a plug-in's own fault")

    monkeypatch.setattr(Restart, "params", broken)
    rig = Rig(tmp_path)
    await rig.running.turn()
    assert asked == []
    rig.host.crash("web")
    await rig.run(60)
    assert rig.outcomes() == ["verified"]
