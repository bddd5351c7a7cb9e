"""restore_last_good and its undo, on real files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import OWN_ACCOUNT, Changing, changing
from zen_agents.actions.put_back_file import PutBackFile
from zen_agents.actions.restore_last_good import RestoreLastGood
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import Plan

GOOD, BAD = '{"port": 80}\n', '{"port": 80,\n'
_TEST = "import json, sys; json.load(open(sys.argv[1]))"
WHEN = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def files(here: Changing, tmp_path: Path) -> tuple[Path, Path]:
    one, two = tmp_path / "etc" / "one.json", tmp_path / "etc" / "two.json"
    one.parent.mkdir()
    for path in (one, two):
        path.write_text(GOOD)
        path.chmod(0o640)
    here.host.look().keep_last_good("site", {str(path): GOOD.encode() for path in (one, two)}, WHEN)
    return one, two


def plan(here: Changing, files: tuple[Path, Path]) -> Plan:
    test = {"run": [os.path.realpath(sys.executable), "-c", _TEST, "CANDIDATE"], "user": OWN_ACCOUNT}
    params: dict[str, Any] = {"files": [str(path) for path in files], "test": test}
    return here.plan(RestoreLastGood(), "service:site", params)


def write(path: Path, text: str) -> None:
    path.write_text(text)


def gone(path: Path) -> None:
    path.unlink()


def texts(files: tuple[Path, Path]) -> list[str]:
    return [path.read_text() if path.exists() else "" for path in files]


def names(files: tuple[Path, Path]) -> list[str]:
    return sorted(entry.name for entry in files[0].parent.iterdir())


async def test_what_changed_is_put_back_and_undo_takes_that_back(here: Changing, files: tuple[Path, Path]) -> None:
    write(files[0], BAD)
    planned = plan(here, files)
    assert [resource.name for resource in planned.touches] == [str(files[0])]
    effect = await RestoreLastGood().execute(planned, here.control())
    assert texts(files) == [GOOD, GOOD]
    assert RestoreLastGood().undone(planned) == f"changed {files[0]}"
    assert RestoreLastGood().postcondition(planned) == ("config.site", "service:site")
    inverse = RestoreLastGood().inverse(planned, effect)
    assert inverse is not None
    taken = PutBackFile().plan(inverse, here.host.look())
    await PutBackFile().execute(taken, here.control())
    assert texts(files) == [BAD, GOOD]
    assert PutBackFile().missing(taken, here.host.look()) == ""


async def test_a_file_that_is_gone_comes_back_with_its_mode(here: Changing, files: tuple[Path, Path]) -> None:
    gone(files[1])
    planned = plan(here, files)
    await RestoreLastGood().execute(planned, here.control())
    assert texts(files) == [GOOD, GOOD]
    assert here.host.look().file(str(files[1])).mode == 0o640  # type: ignore[union-attr]


async def test_where_one_does_not_pass_none_is_put_back(here: Changing, files: tuple[Path, Path]) -> None:
    here.host.look().keep_last_good("site", {str(files[0]): GOOD.encode(), str(files[1]): BAD.encode()}, WHEN)
    write(files[0], "other\n")
    with pytest.raises(ActionFailedError, match="nothing was replaced"):
        await RestoreLastGood().execute(plan(here, files), here.control())
    assert texts(files) == ["other\n", GOOD]
    assert names(files) == ["one.json", "two.json"]


async def test_a_plan_about_other_contents_is_stale(here: Changing, files: tuple[Path, Path]) -> None:
    write(files[0], BAD)
    planned = plan(here, files)
    write(files[0], "mine\n")
    with pytest.raises(StalePlanError):
        await RestoreLastGood().execute(planned, here.control())
    assert texts(files) == ["mine\n", GOOD]


def test_without_a_good_version_nothing_is_put_back(here: Changing, files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(StalePlanError, match="is the last good one"):
        plan(here, files)
    (tmp_path / "state" / "last-good" / "site.json").unlink()
    with pytest.raises(RefusedError, match="good for long enough"):
        plan(here, files)
