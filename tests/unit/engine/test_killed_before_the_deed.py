"""The engine dies when an intent is durable and nothing is done yet: what the next attempt knows of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.model.action import ActionRequest, Intent, Plan
from zen_agents.ports.host import HostView


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
