"""quarantine_file and its undo, on real files that a worker looks at."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import Changing, changing
from tests.support.datasets import contract, open_to_others
from zen_agents.actions.give_back_files import GiveBackFiles
from zen_agents.actions.quarantine_file import QuarantineFile
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.questions import Fresh, NotNull, Readable, RowCount
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import Effect, Plan
from zen_agents.model.severity import Severity

GOOD, BAD, TORN = b"id,v\n1,a\n", b"id,v\n1,\n2,b\n", b"id,v\n1"


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    open_to_others(tmp_path)
    return changing(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "srv"
    path.mkdir()
    return path


def written(folder: Path, **files: bytes) -> list[Path]:
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)
    return [folder / f"{name}.csv" for name in files]


def params(path: Path | str) -> dict[str, Any]:
    asked = contract(path, Readable(), NotNull("v"), Fresh(1.0), RowCount(2))
    return {"contract": contract_to_plain(replace(asked, takes_files=True))}


def planned(here: Changing, path: Path | str) -> Plan:
    return here.plan(QuarantineFile(), "dataset:orders", params(path))


def done(here: Changing, plan: Plan) -> Effect:
    return asyncio.run(QuarantineFile().execute(plan, here.control()))


def test_of_several_files_those_that_fail_are_moved_away_and_undo_puts_them_back(here: Changing, folder: Path) -> None:
    good, bad, torn = written(folder, a=GOOD, b=BAD, c=TORN)
    bad.chmod(0o604)
    plan = planned(here, folder / "*.csv")
    assert plan.steps[0] == f"move {bad} into the quarantine (not_null.v: 1 of 2 rows)"
    assert "the last line is torn" in plan.steps[1] and plan.asks == ()
    effect = done(here, plan)
    assert [*folder.iterdir()] == [good] and effect.detail == f"moved into the quarantine: {bad}, {torn}"
    inverse = QuarantineFile().inverse(plan, effect)
    assert inverse is not None
    back = GiveBackFiles().plan(inverse, here.host.look())
    asyncio.run(GiveBackFiles().execute(back, here.control()))
    assert GiveBackFiles().missing(back, here.host.look()) == ""
    assert (bad.read_bytes(), bad.stat().st_mode & 0o777, torn.read_bytes()) == (BAD, 0o604, TORN)
    with pytest.raises(StalePlanError, match="is there again"):
        GiveBackFiles().plan(inverse, here.host.look())


def test_all_of_several_files_are_not_taken_unasked(here: Changing, folder: Path) -> None:
    written(folder, a=BAD, b=TORN)
    assert planned(here, folder / "*.csv").asks == ("2 of 2 files fail: it may be the contract that is wrong",)


def test_of_one_file_the_number_of_rows_counts_and_its_age_does_not(here: Changing, folder: Path) -> None:
    (file,) = written(folder, a=GOOD)
    assert planned(here, file).steps == (
        f"move {file} into the quarantine (row_count: 1 rows; at least 2 are expected)",
    )  # fmt: skip
    file.write_bytes(GOOD + b"2,b\n")
    with pytest.raises(StalePlanError, match="fails by itself"):
        planned(here, file)


def test_a_file_that_is_written_or_was_written_since_is_left(here: Changing, folder: Path) -> None:
    (file,) = written(folder, a=BAD)
    with file.open("ab"), pytest.raises(StalePlanError, match="has it open"):
        planned(here, file)
    plan = planned(here, file)
    with file.open("ab"), pytest.raises(Exception, match="open"):
        done(here, plan)
    file.write_bytes(TORN)
    with pytest.raises(StalePlanError):
        done(here, plan)
    assert file.read_bytes() == TORN


def test_what_does_not_fit_into_the_quarantine_stays(here: Changing, folder: Path) -> None:
    (file,) = written(folder, a=BAD)
    here.controls.quarantine.most_bytes = 3
    with pytest.raises(HostError, match="quarantine"):
        done(here, planned(here, file))
    assert file.read_bytes() == BAD


def test_what_is_no_error_takes_no_file_away(here: Changing, folder: Path) -> None:
    (file,) = written(folder, a=BAD)
    asked = contract(file, NotNull("v"))
    mild = replace(asked, checks=tuple(replace(each, severity=Severity.WARNING) for each in asked.checks))
    with pytest.raises(StalePlanError, match="fails by itself"):
        here.plan(QuarantineFile(), "dataset:orders", {"contract": contract_to_plain(mild)})
    with pytest.raises(RefusedError):
        here.plan(QuarantineFile(), "dataset:others", params(file))
