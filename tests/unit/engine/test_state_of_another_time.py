"""A state that was put back, or a ledger that was rewritten: the engine only observes, and people are told so."""

from __future__ import annotations

from pathlib import Path

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from zen_agents.adapters.host_state import HEAD
from zen_agents.model.entry import EntryKind


def told(engine: EngineHere) -> list[str]:
    return [row.entry.body["summary"] for row in engine.store.entries(kinds=(EntryKind.ALERT,), limit=50)]


async def test_people_are_told_that_nothing_is_repaired_and_when_it_is_again(tmp_path: Path) -> None:
    config = own_config({}, ["restart_service"])
    async with EngineHere(tmp_path, config) as engine:
        assert told(engine) == []
    kept = engine.state / HEAD
    kept.write_text(f"99999 {'0' * 64}\n", encoding="ascii")

    async with EngineHere(tmp_path, config) as engine:
        (summary,) = told(engine)
        assert "zen-agents observe only: nothing is repaired: the ledger went back from entry 99999 to" in summary
        assert summary.endswith("look at it, then: zen-agents resume --reason ...")
        await engine.ask("resume", reason="the copy of Monday is right")
        assert [line for line in told(engine) if "observe only is over: a person has looked" in line]


async def test_the_state_names_the_host_as_its_configuration_does(tmp_path: Path) -> None:
    async with EngineHere(tmp_path, own_config({}, ["restart_service"], host={"name": "web-07"})) as engine:
        assert engine.store.get("host_name") == "web-07"
    async with EngineHere(tmp_path, own_config({}, ["restart_service"])) as engine:
        assert engine.runtime.host_name == "web-07", "open pages and confirmations go by the name that is known"
