"""The engine dies when an intent is durable and nothing is done yet: what the next attempt knows of that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.errors import RefusedError
from zen_agents.model.action import ActionRequest, Effect, Intent, OutcomeKind, Plan
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostControl, HostView


class DiedError(BaseException):
    """Nothing catches a kill -9."""


def dies_before_the_deed(rig: Rig) -> None:
    """Let the engine die when an intent has been written."""
    reserve = rig.store.reserve

    def reserve_and_die(intent: Intent, *, hourly_limit: int | None) -> None:
        reserve(intent, hourly_limit=hourly_limit)
        raise DiedError

    rig.store.reserve = reserve_and_die  # type: ignore[method-assign]


async def test_an_attempt_that_never_began_is_not_the_first_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, asked = Restart.plan, {}

    def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
        asked[request.attempt] = request.is_first_begun
        return plan(self, request, host)

    monkeypatch.setattr(Restart, "plan", planned)
    rig = Rig(tmp_path)
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    dies_before_the_deed(rig)
    with pytest.raises(DiedError):
        await rig.run(30)
    rig = rig.restart()
    await rig.run(50)
    assert asked == {1: True, 2: True}
    assert [row.effect.get("said", True) for row in rig.store.actions()] == [True, False]
    rig = rig.restart()
    await rig.run(600)
    assert asked == {1: True, 2: True, 3: False, 4: False}, "also by what the engine after it knows"


@pytest.fixture
def marked(tmp_path: Path) -> Rig:
    """A rig in whose state it can be noted what has not begun."""
    (tmp_path / "running").mkdir()
    return Rig(tmp_path)


async def test_what_never_began_is_decided_anew_at_once_and_is_no_attempt(marked: Rig) -> None:
    rig = marked
    rig.host.crash("web")
    dies_before_the_deed(rig)
    with pytest.raises(DiedError):
        await rig.run(30)
    began = rig.clock.now().steady
    rig = rig.restart()
    await rig.run(5)
    assert sorted(rig.outcomes()) == ["skipped", "verified"]
    assert rig.starts() == 2, "at the beginning, and once more"
    (again,) = (row for row in rig.store.actions() if row.kind is OutcomeKind.VERIFIED)
    assert again.reserved_at.steady - began < 1.0
    assert again.plan["attempt"] == 1
    assert not list((rig.state_dir / "running").iterdir())


async def test_what_had_begun_is_verified_and_not_done_again(marked: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def goes_on(self: Restart, plan: Plan, control: HostControl) -> Effect:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Restart, "execute", goes_on)
    await marked.turn()
    marked.host.crash("web")
    marked.host.advance(5)
    await marked.tick.run()
    await begun.wait()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    monkeypatch.undo()
    rig = marked.restart()
    await rig.run(5)
    assert rig.outcomes() == ["verifying"]


async def test_in_another_boot_no_mark_is_believed(marked: Rig) -> None:
    marked.host.crash("web")
    dies_before_the_deed(marked)
    with pytest.raises(DiedError):
        await marked.run(30)
    marked.host.reboot()
    rig = marked.restart()
    assert rig.outcomes() == ["verifying"]


async def test_a_refused_reservation_leaves_no_mark(marked: Rig) -> None:
    def refuse(intent: Intent, *, hourly_limit: int | None) -> None:
        raise RefusedError("taken", reason=Reason.LEASE_HELD)

    marked.store.reserve = refuse  # type: ignore[method-assign]
    marked.host.crash("web")
    await marked.run(10)
    assert not list((marked.state_dir / "running").iterdir())
