"""The worker as it is started: who it becomes, what it will not open, and what it says of nonsense."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.datasets import NOW, by_name, contract, open_to_others, write_csv
from zen_agents.adapters.data_checks import check_data
from zen_agents.datasets.contract import Contract, Limits
from zen_agents.datasets.finding import Outcome, Report
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.questions import NotNull, Partitions, Readable, Unique
from zen_agents.datasets.sql import sql
from zen_agents.datasets.table import BackendError
from zen_agents.errors import HostError
from zen_agents.jobs.data_check import DataCheckProgress, DataCheckRequest
from zen_agents.workers.data_check import answer
from zen_agents.workers.data_files import DataFileError, DataFiles
from zen_agents.workers.duck import Duck
from zen_agents.workers.lesser_account import NOBODY, AccountError, account_of

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")


def asked(of: Contract, **more: Any) -> Report:
    return report_in(asyncio.run(check_data(data_question(of, {}, None, NOW), **more)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that others may enter."""
    open_to_others(tmp_path)
    return tmp_path


def test_a_data_set_is_looked_at_and_nothing_stays_behind(folder: Path) -> None:
    path = write_csv(folder / "a.csv", ["id"], [(1,), (1,), (None,)])
    spill = folder / "spill"
    spill.mkdir()
    report = asked(
        contract(path, Readable(), Unique(("id",)), NotNull("id"), limits=Limits(256 << 20, 1, spill_dir=str(spill)))
    )
    found = by_name(report)
    assert (report.rows, found["unique.id"].count, found["not_null.id"].count) == (3, 2, 1)
    assert list(spill.iterdir()) == []


@AS_ROOT
def test_what_others_may_read_is_read_as_nobody_and_what_is_the_owners_as_the_owner(folder: Path) -> None:
    path = write_csv(folder / "a.csv", ["id"], [(1,)])
    assert DataFiles(contract(path).source).account() == (NOBODY, NOBODY)
    path.chmod(0o600)
    os.chown(path, 12345, 12346)
    assert DataFiles(contract(path).source).account() == (12345, 12346)
    folder.chmod(0o700)
    assert asked(contract(path, Readable())).outcome is Outcome.PASSED


def test_what_is_due_is_told_by_the_worker_as_it_is_started(folder: Path) -> None:
    path = write_csv(folder / "a-2027-01-14.csv", ["id"], [(1,)])
    found = by_name(asked(contract(path, Partitions("a-%Y-%m-%d.csv", last=2, time_zone="Europe/Berlin"))))["partitions"]
    assert (found.outcome, found.reason) == (Outcome.FAILED, "missing: a-2027-01-13.csv")


@AS_ROOT
def test_what_only_root_may_read_is_not_read_and_nobody_knows_what_is_in_it(folder: Path) -> None:
    path = write_csv(folder / "a.csv", ["id"], [(1,)])
    path.chmod(0o600)
    report = asked(contract(path, Readable()))
    assert report.outcome is Outcome.UNKNOWN and "name an account that may: `user`" in report.unknown


@pytest.mark.parametrize("name", ["root", "0"])
def test_root_is_no_account_to_read_as(name: str) -> None:
    with pytest.raises(AccountError, match="never read as root"):
        account_of(name)


def test_no_link_is_followed(folder: Path) -> None:
    write_csv(folder / "real.csv", ["id"], [(1,)])
    (folder / "link.csv").symlink_to(folder / "real.csv")
    (folder / "sub").mkdir()
    (folder / "away").symlink_to(folder / "sub")
    for path in ("link.csv", "li*.csv", "away/*.csv", "*/real.csv"):
        with pytest.raises(DataFileError, match="is a link"):
            DataFiles(contract(folder / path).source)


def test_wildcards_find_files_below_and_nothing_hidden(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in ("year=2026/a.csv", "year=2026/month=1/b.csv", "c.csv", ".hidden.csv", "year=2026/note.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_csv(folder / name, ["id"], [(1,)])
    (folder / "odd.csv").mkdir()

    def found(pattern: str) -> list[str]:
        spill = tmp_path_factory.mktemp("spill")
        opened = DataFiles(contract(folder / pattern).source).linked(spill)
        return [os.path.relpath(path, folder) for path in opened.paths.values()]

    assert found("*.csv") == ["c.csv"]
    assert found("year=*/*.csv") == ["year=2026/a.csv"]
    assert found("**/*.csv") == ["c.csv", "year=2026/a.csv", "year=2026/month=1/b.csv"]


def test_parts_of_a_path_are_columns_where_that_is_asked(folder: Path) -> None:
    (folder / "year=2026").mkdir()
    write_csv(folder / "year=2026" / "a.csv", ["id"], [(1,)])
    report = asked(contract(folder / "*/*.csv", Unique(("year",)), partitions=True))
    assert by_name(report)["unique.year"].outcome is Outcome.PASSED


@pytest.mark.parametrize("name", ["none.csv", "none/*.csv", "*.none"])
def test_a_file_that_is_not_there_is_a_finding(folder: Path, name: str) -> None:
    found = by_name(asked(contract(folder / name, Readable(), NotNull("id"))))
    assert (found["readable"].outcome, found["not_null.id"].outcome) == (Outcome.FAILED, Outcome.UNKNOWN)


def test_of_duckdb_only_its_core_is_loaded() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import sys, zen_agents.workers.duck; print(*sys.modules)"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert "_duckdb" in said
    assert "duckdb" not in said


def test_duckdb_opens_nothing_else_and_cannot_be_told_otherwise(folder: Path) -> None:
    path, other = (write_csv(folder / name, ["id"], [(1,)]) for name in ("a.csv", "b.csv"))
    spill = folder / "spill"
    duck = Duck(Limits(256 << 20, 1), spill, [str(path)])
    assert len(duck.rows(sql(f"from read_csv('{path}')"))) == 1
    for query in (
        f"from read_csv('{other}')", f"from read_text('{other}')", f"from glob('{folder.parent}/*')",
        f"copy (select 1) to '{folder.parent}/x.csv'", f"attach '{folder.parent}/x.db'", "install httpfs", "load httpfs",
        "set enable_external_access = true", "set memory_limit = '9GB'", "from read_csv('https://127.0.0.1/x.csv')",
    ):  # fmt: skip
        with pytest.raises(BackendError):
            duck.rows(sql(query))
    duck.close()


def test_more_memory_than_it_gets_is_told_as_that(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text("id\n" + "".join(f"{number}{'x' * 500}\n" for number in range(200_000)))
    tight = Limits(64 << 20, 1, spill_bytes=1 << 20)
    report = asked(contract(path, Unique(("id",)), limits=tight))
    assert report.outcome is Outcome.UNKNOWN and "limits.memory" in report.unknown


def test_what_takes_too_long_is_ended(folder: Path) -> None:
    pipe = write_csv(folder / "a.csv", ["id"], [(1,)])
    question = data_question(contract(pipe, Readable()), {}, None, NOW)._replace(seconds=-14.99)
    with pytest.raises(HostError, match="did not end within"):
        asyncio.run(check_data(question))


def test_how_far_it_is_is_told(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text("id,s\n" + "".join(f"{number},{'x' * 40}\n" for number in range(400_000)))
    said: list[DataCheckProgress] = []
    asked(contract(path, Unique(("s", "id")), limits=Limits(512 << 20, 1)), told=said.append)
    assert {each.doing for each in said} <= {"all rows", "unique.s+id"}
    assert all(0 <= each.share_of_all <= 1 for each in said)


def test_a_step_counts_for_as_many_as_it_takes() -> None:
    half = DataCheckProgress(doing="all rows", done=0, of=20, takes=18, share=0.5)
    assert half.share_of_all == 0.45
    assert DataCheckProgress(doing="a", done=19, of=20, share=0.5).share_of_all == 0.975


def test_without_the_library_it_is_told_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zen_agents.workers.data_check.find_spec", lambda _: None)
    asked_for = data_question(contract(write_csv(folder / "a.csv", ["id"], []), Readable()), {}, None, NOW)
    request = DataCheckRequest.model_validate_json(asked_for.request_json)
    report = report_in(answer(request, lambda _: None).model_dump_json())
    assert report.outcome is Outcome.UNKNOWN and "pip install 'zen-agents[data]'" in report.unknown


def test_nonsense_is_refused(folder: Path) -> None:
    question = data_question(contract(folder / "a.csv", Readable()), {}, None, NOW)
    broken = json.dumps({**json.loads(question.request_json), "contract": {"name": 3}})
    with pytest.raises(HostError, match="this is no request"):
        asyncio.run(check_data(question._replace(request_json=broken)))
