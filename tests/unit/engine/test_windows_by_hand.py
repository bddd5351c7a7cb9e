"""A window that a person starts holds what it says, shows, and ends."""

import os
from pathlib import Path

import pytest

from tests.support.command_line import a_call
from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from zen_agents.cli.status import _show
from zen_agents.engine.status import status_of
from zen_agents.errors import UsageError
from zen_agents.model.entry import EntryKind


def config(folder: Path) -> str:
    own = {"owner": str(os.geteuid()), "group": str(os.getegid()), "every": "1s"}
    made = {"path": str(folder / "made"), "mode": "0750", "kind": "directory", "create": True, **own}
    nightly = {"name": "nightly", "start": "00:00", "duration": "1s", "timezone": "UTC", "effect": "no_actions"}
    storm = {"storm": {"share": "100%"}}
    return own_config({"paths": {"made": made}}, ["create_directory"], maintenance=[nightly], breakers=storm)


async def test_a_window_forbids_until_it_is_ended_and_stands_in_status_and_ledger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        await engine.ask("maintenance_start", name="disks", effect="no_actions", for_seconds=7200, reason="new disks")
        await engine.settle()
        assert not (tmp_path / "made").exists()
        status = status_of(engine.engine)
        (window,) = status["windows"]
        assert (window["name"], window["effect"], window["by"]) == ("disks", "no_actions", "alice")
        assert status["abnormal"] == []
        _show(a_call(), status)
        assert capsys.readouterr().out.splitlines()[0].startswith("MAINTENANCE disks (no_actions) until ")

        assert await engine.ask("maintenance_end", name="disks", reason="done") == {"name": "disks"}
        await engine.settle()
        assert (tmp_path / "made").is_dir()
        assert status_of(engine.engine)["windows"] == []
        done = [row.entry.id for row in engine.store.entries() if row.entry.kind is EntryKind.HUMAN]
        assert done == ["maintenance_start", "maintenance_end"]


async def test_what_makes_no_sense_starts_and_ends_nothing(tmp_path: Path) -> None:
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        start = {"name": "disks", "effect": "no_actions", "for_seconds": 60, "reason": "x"}
        for wrong, said in (
            ({"effect": "no_sleep"}, "there are: no_actions"),
            ({"name": "a b"}, "is no name of a window"),
            ({"name": "nightly"}, "is a window of the configuration"),
            ({"for_seconds": 0}, "--for DURATION"),
            ({"for_seconds": 90_000}, "a window ends within 24 h"),
            ({"reason": " "}, "--reason TEXT"),
        ):
            with pytest.raises(UsageError, match=said):
                await engine.ask("maintenance_start", **{**start, **wrong})
        for name, said in (("disks", "nobody started one"), ("nightly", "then zen-agents reload")):
            with pytest.raises(UsageError, match=said):
                await engine.ask("maintenance_end", name=name)
        assert status_of(engine.engine)["windows"] == []


async def test_a_second_start_replaces_the_first(tmp_path: Path) -> None:
    async with EngineHere(tmp_path, config(tmp_path)) as engine:
        for effect, seconds in (("no_actions", 7200), ("no_alerts", 60)):
            await engine.ask("maintenance_start", name="disks", effect=effect, for_seconds=seconds, reason="x")
        await engine.settle()

        (window,) = status_of(engine.engine)["windows"]
        assert window["effect"] == "no_alerts"
        assert window["left_seconds"] <= 60
        assert (tmp_path / "made").is_dir()
