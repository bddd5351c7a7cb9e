"""A storm of hundreds: every target is decided about, none is touched, and the many share one reason."""

from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.engine.parts import A_BATCH
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident
from zen_agents.model.reason import Reason


async def test_the_worst_are_judged_by_every_guard_and_the_rest_held_back_together(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(A_BATCH + 30)]
    rig = Rig(tmp_path, names)
    await rig.turn(everything=True)
    for name in names:
        rig.host.crash(name)
    await rig.turn(everything=True)
    decisions = [entry.entry for entry in rig.store.entries(kinds=[EntryKind.DECISION], limit=10_000)]
    assert len({decision.body["target"] for decision in decisions}) == len(names)
    judged = [decision for decision in decisions if "guards" in decision.body]
    held_back = [decision for decision in decisions if "guards" not in decision.body]
    assert (len(judged), len(held_back)) == (A_BATCH, 30)
    assert {decision.body["reason"] for decision in held_back} == {Reason.STORM_BRAKE.value}
    assert {incident.refused_for for incident in rig.parts.book} <= {Reason.STORM_BRAKE, Reason.SAFE_MODE}
    assert rig.outcomes() == []
    assert all(rig.starts(name) == 1 for name in names)


async def test_those_held_back_share_one_log_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"s{number}" for number in range(A_BATCH + 30)]
    rig = Rig(tmp_path, names)
    await rig.turn(everything=True)
    for name in names:
        rig.host.crash(name)
    with caplog.at_level("INFO", "zen_agents"):
        await rig.turn(everything=True)
    lines = [record.getMessage() for record in caplog.records]
    assert "30 decisions that share one reason are in the ledger: zen-agents decisions" in lines
    assert sum(line.startswith("decision dec-") for line in lines) == A_BATCH


async def test_without_deciding_what_was_found_is_durable_all_the_same(tmp_path: Path) -> None:
    """A paused agent still knows after a restart since when it has been broken."""
    names = [f"s{number}" for number in range(A_BATCH + 30)]
    rig = Rig(tmp_path, names)
    await rig.turn(everything=True)
    for name in names:
        rig.host.crash(name)
    await rig.tick.run(everything=True, act=False)
    assert len(SqliteStore.open_read_only(tmp_path / "state.db").live_incidents()) == len(names)


async def test_plans_made_ahead_are_forgotten_with_their_turn(tmp_path: Path) -> None:
    names = [f"s{number}" for number in range(60)]
    rig = Rig(tmp_path, names)
    await rig.turn(everything=True)
    for name in names:
        rig.host.crash(name)
    await rig.turn(everything=True)
    assert rig.parts.planning._ahead == (None, {})


async def test_no_batch_holds_all_of_a_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"s{number}" for number in range(2 * A_BATCH + 30)]
    rig = Rig(tmp_path, names)
    await rig.turn(everything=True)
    save, commit = rig.store.save_incident, rig.store.commit
    batch: list[str] = []
    batches: list[int] = []

    def saved(incident: Incident) -> None:
        batch.append(incident.id)
        save(incident)

    def committed() -> None:
        batches.append(len(batch))
        batch.clear()
        commit()

    monkeypatch.setattr(rig.store, "save_incident", saved)
    monkeypatch.setattr(rig.store, "commit", committed)
    for name in names:
        rig.host.crash(name)
    await rig.turn(everything=True)
    assert len(rig.parts.book) == len(names)
    # The worst are saved before they are judged and when they are refused, the rest only when they are held back.
    # What is not durable yet is kept to be written again, so no batch is large.
    assert sum(batches) == len(names) + A_BATCH
    assert max(batches) <= 2 * A_BATCH
    assert not batch
