"""What needs a yes is asked once, done once after it, and never done when anything moved meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.base import Approval as Who
from zen_agents.engine.approvals import ASK_ANEW_SECONDS, Approvals
from zen_agents.errors import ExpiredError, PermissionDeniedError, RefusedError, StalePlanError
from zen_agents.guards.base import ApprovalTerms
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.model.approval import Approval, ApprovalState
from zen_agents.model.entry import EntryKind
from zen_agents.model.principal import Principal
from zen_agents.ports.host import HostView

ALICE, BOB = Principal("alice", 1000), Principal("bob", 1001)


def asking(path: Path, who: Who = Who.REQUIRED, **policy: Any) -> Rig:
    return Rig(path, allowed={"restart_service": ActionPolicy(approval=who)}, **policy)


async def asked(rig: Rig) -> Approval:
    """Let web crash, and return what people are asked."""
    await rig.turn()
    rig.host.crash("web")
    await rig.run(10)
    (question,) = rig.store.open_approvals()
    return question


def ledger(rig: Rig) -> list[tuple[str, str]]:
    kinds = [EntryKind.HUMAN, EntryKind.ENGINE]
    return [(row.entry.id, row.entry.actor) for row in rig.store.entries(kinds=kinds) if "appr" in row.entry.id]


async def test_nothing_is_done_before_a_yes_and_it_is_done_once_after_it(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    await rig.run(60)
    assert rig.controls == [] and rig.outcomes() == []
    (told,) = rig.told.messages
    assert (told.facts["approval"], told.urgent) == (question.id, True)
    # What delivers it got ready once, while it was still judged.
    (expected,) = rig.told.expected
    assert (expected.target, expected.urgent, expected.at) <= (told.target, told.urgent, told.at)

    answered = await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    assert answered.state is ApprovalState.APPROVED
    await rig.run(60)
    assert rig.outcomes() == ["verified"] and len(rig.told.expected) == 1
    spent = rig.store.approval(question.id)
    assert spent is not None and (spent.state, [spent.used_by]) == (ApprovalState.USED, rig.controls)
    assert ledger(rig) == [("approval_asked", "engine"), ("approve", "alice")]


async def test_the_next_attempt_needs_a_yes_of_its_own(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    rig.host.services["web"].refuses_to_start = True
    await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    await rig.run(120)
    assert len(rig.controls) == 1
    (again,) = rig.store.open_approvals()
    assert again.id != question.id and again.state is ApprovalState.PENDING


async def test_a_yes_after_the_state_moved_runs_nothing_and_is_asked_anew(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    rig.host.start("web")
    rig.host.crash("web")
    with pytest.raises(StalePlanError, match="approval stale"):
        await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    await rig.run(40)
    assert rig.controls == []
    (anew,) = rig.store.open_approvals()
    assert anew.digest != question.digest
    ended = rig.store.approval(question.id)
    assert ended is not None and ended.state is ApprovalState.STALE
    await Approvals(rig.parts).answer(anew.id, ALICE, yes=True, reason="seen again")
    await rig.run(60)
    assert rig.outcomes() == ["verified"]


def warn_of(monkeypatch: pytest.MonkeyPatch, name: str, plain: Callable[..., Plan] = Restart.plan) -> None:
    """Let restarts take many steps and warn that something goes along with them."""

    def plan(action: Restart, request: ActionRequest, host: HostView) -> Plan:
        planned = plain(action, request, host)
        return replace(planned, steps=planned.steps * 20, warning=f"takes along {name}")

    monkeypatch.setattr(Restart, "plan", plan)


async def test_a_question_says_that_there_is_no_way_back_and_what_it_warns_of_before_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warn_of(monkeypatch, "api.service")
    question = await asked(rig := asking(tmp_path))
    (told,) = rig.told.messages
    cost, *steps = told.facts["asks"]
    assert cost == "risk low, reversible no: it cannot be undone; takes along api.service"
    assert steps[-1] == f"and 15 more: zen-agents approvals show {question.id}" and len(steps) == 6
    assert (question.plan["reversible"], question.plan["warning"]) == ("no", "takes along api.service")


async def test_a_yes_to_what_by_now_warns_of_more_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warn_of(monkeypatch, "api.service")
    question = await asked(rig := asking(tmp_path))
    warn_of(monkeypatch, "postgresql.service")
    with pytest.raises(StalePlanError, match="approval stale"):
        await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    assert rig.controls == []


async def test_a_state_that_moves_after_the_yes_runs_nothing(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    rig.host.start("web")
    rig.host.crash("web")
    await rig.run(ASK_ANEW_SECONDS + 40)
    assert rig.controls == []
    assert [row.state for row in rig.store.approvals()] == [ApprovalState.PENDING, ApprovalState.STALE]


async def test_guards_are_asked_again_after_the_yes(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    rig.flag.prepare()
    rig.flag.set(by="bob", reason="stop", at=rig.clock.now().wall)
    await rig.run(60)
    assert rig.controls == []


async def test_silence_means_no_and_is_told(tmp_path: Path) -> None:
    rig = asking(tmp_path, approvals=ApprovalTerms(expire_after_seconds=600.0))
    question = await asked(rig)
    rig.host.advance(600)
    with pytest.raises(ExpiredError) as caught:
        await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="late")
    assert caught.value.exit_code == 5
    with pytest.raises(ExpiredError):
        await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="later")
    await rig.run(3600)
    assert rig.controls == [] and not rig.store.open_approvals()
    assert [message.facts.get("approval") for message in rig.told.messages] == [question.id, None]


async def test_of_two_questions_about_one_incident_the_silence_is_told_once(tmp_path: Path) -> None:
    rig = asking(tmp_path, approvals=ApprovalTerms(expire_after_seconds=600.0))
    question = await asked(rig)
    # What was to be done by then is another thing, as for a directory whose modes were wrong and that is missing now.
    other = replace(question, id="apr-other1", action="create_directory", expires_at=question.expires_at + 100.0)
    rig.store.save_approval(other)
    rig.host.advance(900)
    Approvals(rig.parts).expire(rig.clock.now())
    assert [each.state for each in map(rig.store.approval, (question.id, other.id)) if each] == [ApprovalState.EXPIRED] * 2
    kinds = [message.kind.value for message in rig.told.messages]
    assert kinds.count("firing") == 2, "the question, and that nobody answered"


async def test_silence_can_mean_no_without_a_word(tmp_path: Path) -> None:
    rig = asking(tmp_path, approvals=ApprovalTerms(expire_after_seconds=600.0, escalates=False))
    await asked(rig)
    await rig.run(3600)
    assert rig.controls == [] and len(rig.told.messages) == 1
    assert [row.state for row in rig.store.approvals()] == [ApprovalState.EXPIRED]


async def test_a_no_is_kept_for_the_whole_incident_and_the_next_one_asks_again(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    await Approvals(rig.parts).answer(question.id, ALICE, yes=False, reason="batch running")
    await rig.run(7200)
    assert rig.controls == [] and len(rig.told.messages) == 1 and not rig.store.open_approvals()
    rig.host.start("web")
    await rig.run(60)
    rig.host.crash("web")
    await rig.run(60)
    (next_one,) = rig.store.open_approvals()
    assert next_one.id != question.id


async def test_what_ends_by_itself_is_asked_no_longer(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    rig.host.start("web")
    await rig.run(60)
    ended = rig.store.approval(question.id)
    assert ended is not None and (ended.state, ended.ended_why) == (ApprovalState.WITHDRAWN, "the incident is over")
    with pytest.raises(RefusedError, match="withdrawn already"):
        await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="late")


async def test_two_people_are_two_uids(tmp_path: Path) -> None:
    rig = asking(tmp_path, Who.TWO_PERSON)
    question = await asked(rig)
    approvals = Approvals(rig.parts)
    assert (await approvals.answer(question.id, ALICE, yes=True, reason="one")).state is ApprovalState.PENDING
    with pytest.raises(RefusedError, match="another person"):
        await approvals.answer(question.id, Principal("alice-admin", 1000), yes=True, reason="again")
    await rig.run(60)
    assert rig.controls == []
    assert (await approvals.answer(question.id, BOB, yes=True, reason="two")).state is ApprovalState.APPROVED
    with pytest.raises(RefusedError, match="approved already"):
        await approvals.answer(question.id, Principal("carol", 1002), yes=False, reason="three")
    await rig.run(60)
    assert rig.outcomes() == ["verified"]


async def test_whoever_may_not_approve_is_told_so(tmp_path: Path) -> None:
    rig = asking(tmp_path)
    question = await asked(rig)
    for yes in (True, False):
        with pytest.raises(PermissionDeniedError):
            await Approvals(rig.parts).answer(question.id, Principal("eve", 1003, approves=False), yes=yes, reason="x")
    assert [row.state for row in rig.store.open_approvals()] == [ApprovalState.PENDING]


async def test_a_question_survives_the_engine_and_so_does_its_answer(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"allowed": {"restart_service": ActionPolicy(approval=Who.REQUIRED)}}
    rig = asking(tmp_path)
    question = await asked(rig)
    rig = rig.restart(**changes)
    await rig.run(60)
    assert [row.id for row in rig.store.open_approvals()] == [question.id] and not rig.told.messages
    await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="seen")
    rig = rig.restart(**changes)
    await rig.run(60)
    assert rig.outcomes() == ["verified"]


async def test_a_jump_of_the_wall_clock_neither_ends_nor_prolongs_a_question(tmp_path: Path) -> None:
    rig = asking(tmp_path, approvals=ApprovalTerms(expire_after_seconds=600.0))
    question = await asked(rig)
    rig.clock.jump_wall(86400.0)
    await rig.run(300)
    assert [row.id for row in rig.store.open_approvals()] == [question.id]
    rig.clock.jump_wall(-2 * 86400.0)
    await rig.run(400)
    assert rig.store.open_approvals() == [] and rig.controls == []


async def test_a_persons_act_is_one_of_two_agreements(tmp_path: Path) -> None:
    rig = asking(tmp_path, Who.TWO_PERSON)
    await rig.turn()
    wish = {"who": ALICE, "reason": "deploy", "override": frozenset[str]()}
    with pytest.raises(RefusedError, match="1 of 2 agreed") as caught:
        await rig.by_hand.act("restart_service", "web", **wish)
    assert caught.value.reason == "approval_pending"
    (question,) = rig.store.open_approvals()
    with pytest.raises(RefusedError, match="another person"):
        await Approvals(rig.parts).answer(question.id, ALICE, yes=True, reason="myself")
    await Approvals(rig.parts).answer(question.id, BOB, yes=True, reason="ok")
    intent, _ = await rig.by_hand.act("restart_service", "web", **wish, wait=False)
    assert intent.approval == question.id
