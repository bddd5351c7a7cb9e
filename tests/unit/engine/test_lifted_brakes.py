"""What people took over only because a brake refused is the engine's again when they lift that brake."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from tests.support.rig import Rig
from tests.support.schemas import as_promised
from zen_agents.model.incident import IncidentState
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake, BreakerRow

ALICE = Principal("alice", 1000)
#: Longer than a rule's patience with guards that refuse (seconds).
LONG = 1200


def _pause(rig: Rig, on: bool) -> None:
    now = rig.clock.now()
    if on:
        rig.store.set_brake(Brake("pause", "host", "work", "alice", now, now.steady + 86_400))
    else:
        rig.store.lift_brake("pause", "host")


def _safe_mode(rig: Rig, on: bool) -> None:
    if on:
        rig.parts.safe_mode.enter("odd", ALICE)
    else:
        rig.parts.safe_mode.leave(ALICE, "looked")


def _flag(rig: Rig, on: bool) -> None:
    flag = rig.state_dir / "EMERGENCY_STOP"
    flag.write_text("set now by alice: look") if on else flag.unlink()


@pytest.mark.parametrize(
    ("brake", "reason"), [(_pause, Reason.PAUSED), (_safe_mode, Reason.SAFE_MODE), (_flag, Reason.EMERGENCY_STOP)]
)
async def test_it_is_repaired_after_the_brake_and_people_are_told_that_it_is_over(
    tmp_path: Path, brake: Callable[[Rig, bool], None], reason: Reason
) -> None:
    rig = Rig(tmp_path, ["web"])
    await rig.turn()
    brake(rig, True)
    rig.host.crash("web")
    await rig.run(LONG)
    (incident,) = rig.parts.book
    assert (incident.state, incident.escalated_for, incident.refused_for) == (
        IncidentState.ESCALATED, Reason.REFUSED_TOO_LONG, reason,
    )  # fmt: skip
    brake(rig, False)
    # Lifting something else changes nothing.
    rig.tick.forget_waits(Reason.BREAKER_OPEN)
    await rig.run(60)
    assert rig.outcomes() == []
    rig.tick.forget_waits(reason)
    await rig.run(120)
    assert rig.outcomes() == ["verified"]
    assert len([text for text in rig.summaries("resolved") if "web recovered" in text]) == 1


async def test_what_people_took_over_for_another_cause_stays_theirs(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ["web"])
    await rig.turn()
    rig.host.services["web"].refuses_to_start = True
    rig.host.crash("web")
    await rig.run(LONG)
    (incident,) = rig.parts.book
    assert incident.state is IncidentState.ESCALATED
    tried = len(rig.outcomes())
    rig.tick.forget_waits(Reason.PAUSED)
    await rig.run(120)
    assert len(rig.outcomes()) == tried


@pytest.mark.parametrize("patience", [2.0, 47.0])
async def test_people_are_told_when_the_patience_is_over_and_not_at_the_next_time_that_guards_are_asked(
    tmp_path: Path, patience: float
) -> None:
    rig = Rig(tmp_path, ["web"], rule={"patience_seconds": patience})
    await rig.turn()
    _pause(rig, True)
    rig.host.crash("web")
    await rig.run(120)
    (incident,) = rig.parts.book
    assert incident.escalated_for is Reason.REFUSED_TOO_LONG
    assert incident.refused_since is not None
    assert incident.escalated_at is not None
    assert incident.escalated_at.steady - incident.refused_since == pytest.approx(patience, abs=0.1)


async def test_a_breaker_that_a_person_closes_is_told_as_promised(tmp_path: Path) -> None:
    async with EngineHere(tmp_path, own_config({}, ["restart_service"])) as engine:
        engine.store.save_breaker(BreakerRow("restart_service|service:web", "open", 4, 0, engine.clock.now().steady, ()))
        body = await engine.ask("breaker_reset", breaker="restart_service|service:web", reason="looked")
        assert as_promised({"schema": "zen-agents/breaker/v1", **body})["state"] == "closed"
        row = engine.store.breaker("restart_service|service:web")
        assert row is not None and (row.state, row.failures) == ("closed", 0)
