"""repair_data, restore_data and their undo, on real files."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.changing import Changing, changing
from tests.support.datasets import contract, open_to_others
from zen_agents.actions.base import Action
from zen_agents.actions.put_back_data import PutBackData
from zen_agents.actions.repair_data import RepairData
from zen_agents.actions.restore_data import RestoreData
from zen_agents.checks.dataset import DatasetCheck
from zen_agents.clock import SystemClock
from zen_agents.datasets.contract import Column, ColumnType, Keeping, Repair, RepairKind
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.questions import NotNull, OfType, Readable
from zen_agents.errors import HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.model.observation import Status

ROWS = b"id,v\n1, a\n2\n3,c\n4,\n" + b"".join(b"%d,x\n" % number for number in range(5, 100))


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    open_to_others(tmp_path)
    return changing(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "srv" / "a.csv"
    path.parent.mkdir()
    path.write_bytes(ROWS)
    path.chmod(0o644)
    os.setxattr(path, "user.kept", b"yes")
    return path


def params(path: Path, **more: Any) -> dict[str, Any]:
    asked = contract(path, Readable(), OfType("id"), NotNull("v"), columns=[Column("id", ColumnType.INTEGER)])
    repairs = (Repair(RepairKind.TRIM), Repair(RepairKind.QUARANTINE_ROWS), Repair(RepairKind.RESTORE_SNAPSHOT))
    return {"contract": contract_to_plain(replace(asked, repairs=repairs, **more))}


def plan(here: Changing, action: Action, given: dict[str, Any]) -> Plan:
    return here.plan(action, "dataset:orders", given)


def execute(here: Changing, action: Action, planned: Plan) -> Effect:
    return asyncio.run(action.execute(planned, here.control()))


def undone(here: Changing, inverse: ActionRequest | None) -> None:
    assert inverse is not None
    taken = PutBackData().plan(inverse, here.host.look())
    execute(here, PutBackData(), taken)
    assert PutBackData().missing(taken, here.host.look()) == ""


def test_a_file_is_repaired_and_undo_gives_the_very_bytes_back(here: Changing, file: Path) -> None:
    planned = plan(here, RepairData(), params(file))
    assert planned.steps == (f"of 99 rows in {file} change 1, take out 2; keep what is there for undo",)
    effect = execute(here, RepairData(), planned)
    assert file.read_bytes().startswith(b"id,v\n1,a\n3,c\n5,x\n")
    assert (file.stat().st_mode & 0o777, os.getxattr(file, "user.kept")) == (0o644, b"yes")
    (taken,) = file.parent.glob("a.csv.*.quarantined")
    assert [json.loads(line)["reason"] for line in taken.read_text().splitlines()] == ["missing columns", "not_null.v"]
    assert "99 rows in, 97 kept (1 changed), 2 taken out" in effect.detail
    undone(here, RepairData().inverse(planned, effect))
    assert file.read_bytes() == ROWS and file.stat().st_mode & 0o777 == 0o644


def test_more_than_the_contract_says_is_asked_for(here: Changing, file: Path) -> None:
    assert plan(here, RepairData(), params(file)).asks == ()
    (asks,) = plan(here, RepairData(), params(file, repair_at_most=0.01)).asks
    assert asks == "it is about 3.0% of the rows, and repair_at_most is 1.0%"


def test_a_file_that_somebody_writes_is_left(here: Changing, file: Path) -> None:
    planned = plan(here, RepairData(), params(file))
    with file.open("ab"), pytest.raises(StalePlanError, match="open"):
        execute(here, RepairData(), planned)
    assert file.read_bytes() == ROWS and [each.name for each in file.parent.iterdir()] == ["a.csv"]
    with file.open("rb") as reader:
        execute(here, RepairData(), planned)
        assert reader.read() == ROWS


def test_a_file_that_was_written_since_it_was_looked_at_is_looked_at_again(here: Changing, file: Path) -> None:
    planned = plan(here, RepairData(), params(file))
    file.write_bytes(ROWS + b"7, d\n")
    with pytest.raises(StalePlanError, match="written since"):
        execute(here, RepairData(), planned)
    assert file.read_bytes() == ROWS + b"7, d\n"
    with pytest.raises(StalePlanError, match="written since"):
        RepairData().plan(planned.request, here.host.look())
    again = plan(here, RepairData(), params(file))
    assert again.fingerprint != planned.fingerprint
    execute(here, RepairData(), again)
    assert file.read_bytes().endswith(b"7,d\n")


def test_what_cannot_be_kept_is_not_replaced(here: Changing, file: Path) -> None:
    here.controls.quarantine.most_bytes = 10
    with pytest.raises(HostError, match="quarantine"):
        execute(here, RepairData(), plan(here, RepairData(), params(file)))
    assert file.read_bytes() == ROWS and [each.name for each in file.parent.iterdir()] == ["a.csv"]


def test_undo_is_refused_once_somebody_changed_the_file(here: Changing, file: Path) -> None:
    planned = plan(here, RepairData(), params(file))
    inverse = RepairData().inverse(planned, execute(here, RepairData(), planned))
    file.write_bytes(b"id,v\n")
    with pytest.raises(StalePlanError, match="not what the action left"):
        undone(here, inverse)


def test_a_damaged_file_gets_its_good_copy_and_undo_takes_that_back(here: Changing, file: Path, tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    (good / "a.csv").write_bytes(b"id,v\n1,a\n")
    given = params(file, snapshots=str(good))
    planned = plan(here, RestoreData(), given)
    asyncio.run(RestoreData().preflight(planned, here.host.look()))
    effect = execute(here, RestoreData(), planned)
    assert file.read_bytes() == b"id,v\n1,a\n" and (good / "a.csv").exists()
    undone(here, RestoreData().inverse(planned, effect))
    assert file.read_bytes() == ROWS
    (good / "a.csv").write_bytes(b"id,v\n1,\n")
    with pytest.raises(RefusedError, match=r"no good copy: not_null\.v"):
        asyncio.run(RestoreData().preflight(plan(here, RestoreData(), given), here.host.look()))


def test_what_was_found_good_is_kept_and_comes_back_once_the_file_is_damaged(here: Changing, file: Path) -> None:
    file.write_bytes(good := b"id,v\n1,a\n")
    asked = replace(contract(file, Readable(), NotNull("v")), repairs=(Repair(RepairKind.RESTORE_SNAPSHOT),), keep=Keeping())
    check = DatasetCheck(asked, {}, every_seconds=60.0)
    (seen,) = asyncio.run(check.probe(here.host.look(), SystemClock().now()))
    assert (seen.status, seen.detail) == (Status.OK, "2 checks hold over 1 row")
    file.write_bytes(b"id,v\n1,a\n2\n")
    (bad,) = asyncio.run(check.probe(here.host.look(), SystemClock().now()))
    assert bad.status is Status.PROBLEM
    given = {"contract": contract_to_plain(asked)}
    planned = plan(here, RestoreData(), given)
    asyncio.run(RestoreData().preflight(planned, here.host.look()))
    effect = execute(here, RestoreData(), planned)
    assert file.read_bytes() == good and str(here.state_dir) in effect.detail
    assert len(here.host.look().snapshots("orders", str(file), "")) == 1
