"""R15: when acting is broken people are still told, and when telling is broken the engine still acts."""

from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.errors import StoreError


async def test_a_notifier_that_is_broken_keeps_nothing_from_being_repaired(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.told.broken = True
    for _ in range(3):
        rig.host.crash("web")
        await rig.run(120)
    assert rig.outcomes() == ["verified"] * 3


async def test_an_action_that_is_broken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("the action has a fault of its own")

    monkeypatch.setattr(Restart, "execute", breaks)
    rig = Rig(tmp_path)
    rig.host.crash("web")
    await rig.run(600)
    assert rig.outcomes() == ["unknown"]
    assert len(rig.summaries()) == 1
    assert "not known whether the action worked" in rig.summaries()[0]


async def test_a_guard_that_is_broken_is_a_no_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path)
    monkeypatch.setattr(type(rig.parts.judging._guards[5]), "assess", lambda *_: 1 / 0)
    rig.host.crash("web")
    await rig.run(3600)
    assert rig.outcomes() == []
    assert "guard_error" in rig.reasons()
    assert len(rig.summaries()) == 1
    assert "refused for longer" in rig.summaries()[0]


async def test_a_ledger_that_takes_nothing_stops_acting_not_telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path)
    await rig.turn()

    def refuses(*_: object, **__: object) -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(rig.store, "reserve", refuses)
    rig.host.crash("web")
    await rig.run(1200)
    assert rig.controls == []
    assert rig.parts.safe_mode.brake is not None
    assert any("audit log not writable" in message.summary for message in rig.told.messages)
