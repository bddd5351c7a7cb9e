"""quarantine_setuid and its undo, on real files."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.changing import Changing, changing
from zen_agents.actions.give_back_files import GiveBackFiles
from zen_agents.actions.quarantine_setuid import QuarantineSetuid
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import Effect, Plan


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "bin").mkdir()
    return folder


def program(path: Path, mode: int = 0o4755) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def planned(here: Changing, folder: Path, *known: Path) -> Plan:
    params = {"path": str(folder), "known": [str(path) for path in known]}
    return here.plan(QuarantineSetuid(), "setuid_files:local", params)


def done(here: Changing, plan: Plan) -> Effect:
    return asyncio.run(QuarantineSetuid().execute(plan, here.control()))


def test_it_is_moved_away_whole_and_comes_back_without_the_rights_of_its_owner(here: Changing, folder: Path) -> None:
    fetch, doas = program(folder / ".fetch"), program(folder / "doas")
    plan = planned(here, folder, doas)
    assert [touched.name for touched in plan.touches] == [str(fetch)]
    assert "sha256" in plan.steps[0] and plan.warning == "undo gives the files back without setuid and setgid"
    effect = done(here, plan)
    assert [path.name for path in folder.iterdir()] == ["doas"]
    inverse = QuarantineSetuid().inverse(plan, effect)
    assert inverse is not None
    back = here.planned(GiveBackFiles(), inverse)
    asyncio.run(GiveBackFiles().execute(back, here.control()))
    assert (fetch.read_text(), fetch.stat().st_mode & 0o7777) == ("#!/bin/sh\n", 0o755)
    assert GiveBackFiles().missing(back, here.host.look()) == ""


def test_one_that_changed_since_it_was_agreed_to_is_left(here: Changing, folder: Path) -> None:
    fetch = program(folder / ".fetch")
    plan = planned(here, folder)
    fetch.unlink()
    program(folder / ".fetch").write_text("#!/bin/bash\n")
    fetch.chmod(0o4755)
    with pytest.raises(StalePlanError):
        done(here, plan)
    assert fetch.exists()


def test_one_with_another_name_is_a_persons_to_find(here: Changing, folder: Path, tmp_path: Path) -> None:
    os.link(program(folder / ".fetch"), tmp_path / "hidden")
    with pytest.raises(UnsafePathError, match="has 2 hard links"):
        planned(here, folder)


def test_where_all_are_listed_nothing_is_done(here: Changing, folder: Path) -> None:
    with pytest.raises(StalePlanError, match="nothing to do"):
        planned(here, folder, program(folder / "doas"))
