"""A no that also pauses: the rule that asked leaves its target alone for so long, and nothing of it without a no."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from zen_agents.engine.undo import RULE_PAUSED
from zen_agents.errors import RefusedError, UsageError
from zen_agents.model.entry import EntryKind
from zen_agents.ports.store import Brake


def config(folder: Path) -> str:
    """Return a configuration that asks before it makes a directory."""
    watched = {
        "path": str(folder / "uploads"), "mode": "0750", "kind": "directory", "create": True, "every": "1s",
        "owner": str(os.geteuid()), "group": str(os.getegid()),
    }  # fmt: skip
    return own_config({"paths": {"uploads": watched}}, ["create_directory"], mode="approve")


async def asked(engine: EngineHere) -> str:
    await engine.settle()
    (question,) = engine.store.open_approvals()
    return question.id


def pauses(engine: EngineHere) -> list[Brake]:
    return [brake for brake in engine.store.brakes() if brake.kind == RULE_PAUSED]


async def test_a_no_with_a_pause_keeps_the_rule_off_for_so_long_and_is_lifted_as_others_are(tmp_path: Path) -> None:
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        id = await asked(engine)
        answered = await engine.ask("deny", approval=id, reason="batch running", pause_seconds=7200)
        assert (answered["state"], answered["paused_seconds"]) == ("denied", 7200.0)
        assert answered["paused"] == "rule:system_health.uploads"
        (pause,) = pauses(engine)
        assert (pause.scope, pause.by) == (answered["paused"], "alice")
        assert pause.until == pytest.approx(engine.clock.now().steady + 7200, abs=60)
        assert id in pause.reason and "batch running" in pause.reason
        written = [row.entry for row in engine.store.entries(kinds=[EntryKind.HUMAN])]
        assert [entry.id for entry in written] == ["deny", "pause"]
        assert written[-1].body["approval"] == id
        ends = f"{pause.since.after(7200).wall.astimezone():%H:%M} ({pause.scope})"
        assert any("PAUSED until" in line and ends in line for line in (await engine.ask("status"))["abnormal"])
        await engine.settle()
        assert engine.outcomes() == [] and not (tmp_path / "uploads").exists()
        await engine.ask("resume", scope=answered["paused"], reason="the batch is done")
        assert pauses(engine) == []


@pytest.mark.parametrize("seconds", [0, -1, 86401, "2h", True, float("nan")])
async def test_a_pause_that_is_none_answers_nothing(tmp_path: Path, seconds: object) -> None:
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        id = await asked(engine)
        with pytest.raises(UsageError, match="pause"):
            await engine.ask("deny", approval=id, reason="no", pause_seconds=seconds)
        (question,) = engine.store.open_approvals()
        assert (question.id, question.answers, pauses(engine)) == (id, (), [])


async def test_a_no_that_comes_second_pauses_nothing(tmp_path: Path) -> None:
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        id = await asked(engine)
        await engine.ask("deny", approval=id, reason="no")
        with pytest.raises(RefusedError, match="denied already"):
            await engine.ask("deny", approval=id, reason="no", pause_seconds=60)
        assert pauses(engine) == []
