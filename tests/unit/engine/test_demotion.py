"""What went wrong is asked for the next time, until a person gives the autonomy back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.base import Approval as Who
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.demotion import restore
from zen_agents.errors import StoreError
from zen_agents.guards.approval import DEMOTED
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.principal import Principal

ALICE = Principal("alice", 1000)
SCOPE = "rule:system_health.web/restart_service"


def demoted(rig: Rig) -> list[str]:
    return [brake.scope for brake in rig.store.brakes() if brake.kind == DEMOTED]


async def exhausted(rig: Rig) -> None:
    """Let web crash for good, until every attempt of its rung has failed; then a person mends it."""
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(1200)
    assert set(rig.outcomes()) == {"failed"}
    rig.host.services["web"].refuses_to_start = False
    rig.host.advance(3600)
    rig.host.start("web")
    await rig.run(60)


async def test_a_retry_is_no_bad_outcome_yet(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(6)
    rig.host.services["web"].refuses_to_start = False
    await rig.run(120)
    assert rig.outcomes()[0] == "failed" and rig.outcomes()[-1] == "verified"
    assert demoted(rig) == []


async def test_after_the_last_attempt_failed_people_are_asked_and_a_yes_lets_it_act_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await exhausted(rig)
    assert demoted(rig) == [SCOPE]
    (written,) = [row.entry for row in rig.store.entries(kinds=[EntryKind.ENGINE]) if row.entry.id == "demoted"]
    assert written.body["autonomy"] == "approve" and written.incident is not None
    before = len(rig.controls)
    rig.host.crash("web")
    await rig.run(60)
    assert len(rig.controls) == before
    (asked,) = rig.store.open_approvals()
    await Approvals(rig.parts).answer(asked.id, ALICE, yes=True, reason="mended")
    await rig.run(60)
    assert len(rig.controls) == before + 1 and rig.outcomes()[-1] == "verified"
    assert demoted(rig) == [SCOPE]


@pytest.mark.parametrize("scope", [SCOPE, "rule:system_health.web", "target:service:web"])
async def test_a_person_gives_it_back(tmp_path: Path, scope: str) -> None:
    rig = Rig(tmp_path)
    await exhausted(rig)
    assert restore(rig.parts, "rule:system_health.db", []) == []
    rules = ["system_health.web"] if scope.startswith("target:") else []
    assert restore(rig.parts, scope, rules) == [SCOPE]
    before = len(rig.controls)
    rig.host.crash("web")
    await rig.run(60)
    assert len(rig.controls) == before + 1 and not rig.store.open_approvals()


async def test_it_survives_the_engine(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await exhausted(rig)
    assert demoted(rig.restart()) == [SCOPE]


async def test_what_is_asked_for_anyway_is_not_demoted(tmp_path: Path) -> None:
    rig = Rig(tmp_path, allowed={"restart_service": ActionPolicy(approval=Who.REQUIRED)}, mode="enforce")
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    for _ in range(6):
        await rig.run(90)
        for asked in rig.store.open_approvals():
            await Approvals(rig.parts).answer(asked.id, ALICE, yes=True, reason="try")
    assert "failed" in rig.outcomes() and demoted(rig) == []


async def test_a_state_that_cannot_be_read_then_keeps_nobody_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)

    def unreadable(*_: object) -> dict[str, str]:
        raise StoreError("the disk does not answer")

    monkeypatch.setattr(rig.tick.repairs, "_failed_for", unreadable)
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(1200)
    assert {incident.state for incident in rig.parts.book if incident.target == "service:web"} == {IncidentState.ESCALATED}
    assert demoted(rig) == []
