"""Back to the last good state: what can be undone is, what cannot is named, and agents come back one at a time."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from zen_agents.engine import rollback, undo
from zen_agents.errors import RefusedError, UsageError

ALLOWED = ["create_directory", "restore_permissions", "rotate_logs"]
OWN = {"owner": str(os.geteuid()), "group": str(os.getegid()), "every": "1s"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo, "HELD_SECONDS", 0.01)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A log that is too long, a directory that is missing, and a key that only its owner may read, and should not."""
    home = tmp_path / "srv"
    home.mkdir(mode=0o755)
    (home / "key").write_text("secret")
    (home / "key").chmod(0o600)
    (home / "app.log").write_text("x" * 4096)
    return home


def config(home: Path, key: str = "0640") -> str:
    """Return a configuration under which each of these is put right."""
    paths = {
        "key": {"path": str(home / "key"), "mode": key, **OWN},
        "uploads": {"path": str(home / "uploads"), "mode": "0750", "kind": "directory", "create": True, **OWN},
    }
    logs = {"app": {"path": str(home / "app.log"), "rotate_at": "1KiB", "every": "1s"}}
    return own_config({"paths": paths, "logs": logs}, ALLOWED, breakers={"storm": {"share": "100%"}})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def results(told: dict[str, Any]) -> dict[str, str]:
    return {step["action"]: step["result"] for step in told["steps"]}


def before(engine: EngineHere) -> str:
    """Return a moment before everything that was done."""
    return (engine.clock.now().wall - timedelta(hours=1)).isoformat()


async def test_what_can_be_undone_is_and_the_rest_is_named(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await engine.settle()
        assert sorted(engine.outcomes()) == [
            (n, "verified") for n in ("create_directory", "restore_permissions", "rotate_logs")
        ]
        planned = await engine.ask("judge_rollback", to=before(engine), reason="a look")
        assert set(results(planned).items()) == {
            ("create_directory", "would_undo"), ("restore_permissions", "would_undo"), ("rotate_logs", "left"),
        }  # fmt: skip
        assert (mode(home / "key"), engine.store.brakes()) == (0o640, ())

        done = await engine.ask("rollback", to=before(engine), reason="it went wrong")
        assert set(results(done).items()) == {
            ("create_directory", "undone"), ("restore_permissions", "undone"), ("rotate_logs", "left"),
        }  # fmt: skip
        assert (done["left"], done["paused"]) == (1, ["agent:system_health"])
        (left,) = [step for step in done["steps"] if step["result"] == "left"]
        assert "no previous state to return to" in left["detail"]
        assert (mode(home / "key"), (home / "uploads").exists()) == (0o600, False)
        # The newest first.
        order = [step["id"] for step in done["steps"]]
        assert order == [row.id for row in engine.store.actions() if row.id in order]

        again = await engine.ask("rollback", to=before(engine), reason="once more")
        assert results(again) == {"rotate_logs": "left"}
        await engine.settle()
        assert (mode(home / "key"), (home / "uploads").exists()) == (0o600, False)


async def test_back_to_an_action_takes_it_and_what_came_after_it(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await engine.settle()
        first, *_, last = reversed(engine.store.actions())
        told = await engine.ask("judge_rollback", to=last.id, reason="a look")
        assert ([step["id"] for step in told["steps"]], told["named"]) == ([last.id], last.id)
        told = await engine.ask("judge_rollback", to=first.id, reason="a look")
        assert len(told["steps"]) == 3


async def test_two_changes_of_one_thing_are_undone_in_their_order(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await engine.settle()
        engine.write(config(home, key="0440"))
        await engine.ask("reload")
        await engine.settle()
        assert mode(home / "key") == 0o440
        planned = await engine.ask("judge_rollback", to=before(engine), reason="a look")
        twice = [step for step in planned["steps"] if step["action"] == "restore_permissions"]
        assert [step["result"] for step in twice] == ["would_undo", "would_undo"]
        assert twice[1]["detail"].startswith(f"once {twice[0]['id']} is undone")
        done = await engine.ask("rollback", to=before(engine), reason="both")
        assert [step["result"] for step in done["steps"] if step["action"] == "restore_permissions"] == ["undone", "undone"]
        assert mode(home / "key") == 0o600


async def test_where_the_later_change_cannot_be_undone_the_earlier_stays_too(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await engine.settle()
        engine.write(config(home, key="0440"))
        await engine.ask("reload")
        await engine.settle()
        (home / "key").chmod(0o400)
        done = await engine.ask("rollback", to=before(engine), reason="both")
        twice = [step for step in done["steps"] if step["action"] == "restore_permissions"]
        assert [step["result"] for step in twice] == ["left", "left"]
        assert all("is 0400" in step["detail"] for step in twice)
        assert mode(home / "key") == 0o400


async def test_what_would_widen_access_is_decided_alone(tmp_path: Path, home: Path) -> None:
    (home / "key").chmod(0o644)
    async with EngineHere(tmp_path, config(home, key="0600")) as engine:
        await engine.settle()
        done = await engine.ask("rollback", to=before(engine), reason="it went wrong")
        (step,) = [step for step in done["steps"] if step["action"] == "restore_permissions"]
        assert (step["result"], mode(home / "key")) == ("left", 0o600)
        assert f"zen-agents undo {step['id']}" in step["detail"]


async def test_an_undo_and_what_it_undid_are_no_part_of_it(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await engine.settle()
        await engine.ask("undo", undoes=engine.action("create_directory").id, reason="not here")
        done = await engine.ask("rollback", to=before(engine), reason="the rest")
        assert results(done) == {"restore_permissions": "undone", "rotate_logs": "left"}


async def test_it_is_refused_where_it_makes_no_sense(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await engine.settle()
        later = (engine.clock.now().wall + timedelta(hours=1)).isoformat()
        for to, why in ((later, "still to come"), ("act-none", "names no actions"), ("soon", "names no actions")):
            with pytest.raises(UsageError, match=why):
                await engine.ask("rollback", to=to, reason="a try")
        with monkeypatch.context() as patch:
            patch.setattr(rollback, "MOST_ACTIONS", 2)
            with pytest.raises(UsageError, match="choose a later time"):
                await engine.ask("rollback", to=before(engine), reason="a try")
        engine.runtime._machine.flag(engine.state).set(by="bob", reason="drill", at=engine.clock.now().wall)
        with pytest.raises(RefusedError):
            await engine.ask("rollback", to=before(engine), reason="a try")
        assert engine.store.brakes() == ()
        assert {kind for _, kind in engine.outcomes()} == {"verified"}


def many(home: Path, storm: dict[str, Any]) -> str:
    """Return a configuration of twelve directories that are made, and of when that many failing are a storm."""
    paths = {
        f"d{number}": {"path": str(home / f"d{number}"), "mode": "0750", "kind": "directory", "create": True, **OWN}
        for number in range(12)
    }
    return own_config({"paths": paths}, ALLOWED, breakers={"storm": storm})


async def test_what_a_large_rollback_takes_back_is_no_storm_what_fails_beside_it_is(tmp_path: Path, home: Path) -> None:
    others = [home / f"d{number}" for number in range(6, 12)]
    for path in others:
        path.mkdir(mode=0o750)
    async with EngineHere(tmp_path, many(home, {"share": "100%"})) as engine:
        await engine.settle()
        engine.write(many(home, {"targets": 4}))
        await engine.ask("reload")
        done = await engine.ask("rollback", to=before(engine), reason="it went wrong")
        assert [step["result"] for step in done["steps"]] == ["undone"] * 6
        await engine.engine.agents[0].turn(everything=True)
        assert [number for number in range(12) if (home / f"d{number}").exists()] == [6, 7, 8, 9, 10, 11]
        assert {i.target for i in engine.parts.book} >= {f"path:d{number}" for number in range(6)}
        assert not any("SAFE MODE" in line for line in engine.engine.abnormal())
        for path in others:
            path.rmdir()
        await engine.engine.agents[0].turn(everything=True)
        assert any("SAFE MODE" in line and "fail at once" in line for line in engine.engine.abnormal())


# -- one agent at a time --------------------------------------------------------------------------------------------------
async def rolled_back(engine: EngineHere) -> None:
    """Roll everything back, and lift the pauses of single rules."""
    await engine.settle()
    await engine.ask("rollback", to=before(engine), reason="it went wrong")
    for brake in engine.store.brakes():
        if brake.kind == undo.RULE_PAUSED:
            await engine.ask("resume", scope=brake.scope, reason="the cause is known")


def paused(engine: EngineHere) -> list[tuple[str, str]]:
    return [(brake.scope, brake.by) for brake in engine.store.brakes()]


async def test_an_agent_without_a_new_incident_stays_enabled(tmp_path: Path, home: Path) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await rolled_back(engine)
        await engine.settle()
        assert mode(home / "key") == 0o600
        told = await engine.ask("resume_staged", for_seconds=0.01, reason="the cause is known")
        assert (told["agent"], told["waiting"]) == ("system_health", [])
        with pytest.raises(UsageError, match="on trial already"):
            await engine.ask("resume_staged", for_seconds=0.01)
        assert any("on trial" in line for line in engine.engine.warnings())
        await engine.settle()
        # What was bad before is put right again, and is nothing new.
        assert mode(home / "key") == 0o640
        await baked(engine, None)
        assert paused(engine) == []
        with pytest.raises(UsageError, match="no agent is paused"):
            await engine.ask("resume_staged", for_seconds=0.01)


async def regression(engine: EngineHere, home: Path) -> None:
    """Let something new go bad."""
    (home / "app.log").write_text("x" * 8192)
    await engine.settle()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_new_incident_of_an_agent_on_trial_pauses_it_again(tmp_path: Path, home: Path, restarted: bool) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await rolled_back(engine)
        await engine.settle()
        await engine.ask("resume_staged", for_seconds=3600.0, reason="the cause is known")
        engine.engine.stages.look()
        assert paused(engine) == []
        if not restarted:
            await regression(engine, home)
            engine.engine.stages.look()
            assert paused(engine) == [("agent:system_health", "engine")]
            assert engine.engine.stages.trial is None
    async with EngineHere(tmp_path, config(home)) as engine:
        engine.engine.stages.recall()
        assert (engine.engine.stages.trial is not None) == restarted
        if restarted:
            await regression(engine, home)
            engine.engine.stages.look()
        assert paused(engine) == [("agent:system_health", "engine")]


async def test_the_next_agent_comes_after_the_first(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with EngineHere(tmp_path, config(home)) as engine:
        await rolled_back(engine)
        stages, first = engine.engine.stages, engine.engine.agents[0]
        monkeypatch.setattr(stages, "_agents", lambda: [first, SimpleNamespace(name="log_analysis")])
        (brake,) = engine.store.brakes()
        engine.store.set_brake(replace(brake, scope="agent:log_analysis"))
        told = await engine.ask("resume_staged", for_seconds=0.01, reason="the cause is known")
        assert (told["agent"], told["waiting"]) == ("system_health", ["log_analysis"])
        assert paused(engine) == [("agent:log_analysis", "alice")]
        await baked(engine, "log_analysis")
        assert paused(engine) == []
        await baked(engine, None)


async def baked(engine: EngineHere, following: str | None) -> None:
    """Wait until the bake time is over and this agent is on trial."""
    async with asyncio.timeout(30):
        while (trial := engine.engine.stages.trial) and trial.agent != following:
            engine.engine.stages.look()
            await asyncio.sleep(0.005)
    assert (trial.agent if trial else None) == following
