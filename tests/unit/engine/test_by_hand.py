"""What a person asks for is verified as the engine's own acts are, and always answered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.engine import by_hand
from zen_agents.errors import StalePlanError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import EntryKind
from zen_agents.model.principal import Principal
from zen_agents.rules.rule import Hold

ALICE = Principal("alice", 1000)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_hand, "LOOK_EVERY", 0.0)


async def act(rig: Rig, *, every: float = 1.0) -> OutcomeKind:
    """Ask for a restart of web and let time pass until it is judged."""
    asked = asyncio.create_task(rig.by_hand.act("restart_service", "web", who=ALICE, reason="a try", override=frozenset()))
    async with asyncio.timeout(30):
        while not asked.done():
            await asyncio.sleep(0.005)
            rig.host.advance(every)
    outcome = asked.result()[1]
    assert outcome is not None
    return outcome.kind


async def test_an_act_that_helps_is_verified(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    assert await act(rig) is OutcomeKind.VERIFIED
    assert not rig.store.brakes()


async def test_one_good_look_is_not_enough_where_the_rule_wants_more(tmp_path: Path) -> None:
    rig = Rig(tmp_path, rule={"hold": Hold(clear_for_seconds=20.0)})
    await rig.turn()
    rig.host.services["web"].crashes_after_seconds = 5.0
    assert await act(rig) is OutcomeKind.FAILED


async def test_whoever_waits_is_answered_when_it_cannot_be_verified_and_the_engine_keeps_off(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()

    async def broken(*, everything: bool = False) -> None:
        raise RuntimeError("the agent has failed")

    rig.running.turn = broken  # type: ignore[method-assign]
    assert await act(rig) is OutcomeKind.UNKNOWN
    assert rig.outcomes() == ["unknown"]
    assert [(brake.kind, brake.scope) for brake in rig.store.brakes()] == [("target_closed", "target:service:web")]


async def test_only_the_plan_that_a_person_was_shown_is_done(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    _, judged = await rig.by_hand.judge("restart_service", "web", who=ALICE, reason="a try", override=frozenset())
    assert judged.plan is not None
    wish = {"who": ALICE, "reason": "a try", "override": frozenset[str](), "wait": False}
    with pytest.raises(StalePlanError, match="no longer what was shown"):
        await rig.by_hand.act("restart_service", "web", **wish, shown="0" * 64)
    assert rig.outcomes() == []
    await rig.by_hand.act("restart_service", "web", **wish, shown=judged.plan.digest)
    assert len(rig.outcomes()) == 1
    asked = [row.entry.body for row in rig.store.entries(kinds=[EntryKind.HUMAN]) if row.entry.id == "act"]
    assert ["another_plan_was_shown" in body for body in asked] == [True, False]


async def test_an_act_that_a_crash_cut_short_closes_its_target(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.services["web"].hangs = True
    asked = asyncio.create_task(rig.by_hand.act("restart_service", "web", who=ALICE, reason="a try", override=frozenset()))
    async with asyncio.timeout(30):
        while rig.outcomes() != ["verifying"]:  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.005)
    asked.cancel()
    for task in list(rig.by_hand._under_way):
        task.cancel()
    await asyncio.gather(asked, *rig.by_hand._under_way, return_exceptions=True)
    rig = rig.restart()
    assert rig.outcomes() == ["unknown"]
    assert [brake.kind for brake in rig.store.brakes()] == ["target_closed"]
