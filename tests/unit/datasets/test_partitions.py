"""Which files are due, which are gone, and which have another number of rows than such files have."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.datasets import by_name, contract, looked, write_csv
from zen_agents.datasets.finding import Finding, Outcome, Part, Profile
from zen_agents.datasets.partitions import due, judged
from zen_agents.datasets.questions import Partitions
from zen_agents.datasets.source import SourceKind

THURSDAY = datetime(2026, 1, 1, 5, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (Partitions("a-%Y-%m-%d", last=2), ["a-2025-12-31", "a-2025-12-30"]),
        (Partitions("a-%Y-%m-%d", last=1, within_seconds=6 * 3600), ["a-2025-12-30"]),
        (Partitions("a-%Y-%m-%d", last=1, time_zone="Pacific/Kiritimati"), ["a-2025-12-31"]),
        (Partitions("a-%Y-%m-%d", last=1, time_zone="America/Los_Angeles"), ["a-2025-12-30"]),
        (Partitions("a-%d-%H", every="hour", last=6), ["a-01-04", "a-01-03", "a-01-02", "a-01-01", "a-01-00", "a-31-23"]),
        (Partitions("a-%Y-%m-%d", every="week", last=2), ["a-2025-12-22", "a-2025-12-15"]),
        (Partitions("%Y/%m.csv", every="month", last=2), ["2025/12.csv", "2025/11.csv"]),
        (Partitions(), []),
    ],
)
def test_due_is_the_file_of_each_period_that_has_ended(asked: Partitions, names: list[str]) -> None:
    assert list(due(asked, THURSDAY)) == names


def test_what_is_missing_gone_or_of_another_size_fails_and_what_is_new_is_told() -> None:
    before = Profile(50, parts=(Part("/a/1", 10), Part("/a/2", 20), Part("/a/3", 20)))
    asked = Partitions(fall=0.5, growth=1.0)
    fine = judged(asked, {"/a/2": 20, "/a/3": 39, "/a/4": 11}, before, THURSDAY)
    assert (fine.failed, fine.value, fine.reason) == (0, 1.0, "new: 4")
    bad = judged(asked, {"/a/1": 10, "/a/3": 9, "/a/4": 200}, before, THURSDAY)
    assert bad.failed == 3
    assert bad.reason == "gone since the last good run: 2; rows: 3 has 9, before 20, 4 has 200, before 20; new: 4"
    assert judged(asked, {"/a/1": 1}, None, THURSDAY).failed == 0
    assert judged(Partitions("%Y.csv", last=1), {"/a/2024.csv": 1}, None, THURSDAY).reason == "missing: 2025.csv"


def _found(folder: Path, asked: Partitions, before: Profile | None = None, pattern: str = "orders-*.csv") -> Finding:
    return by_name(looked(contract(folder / pattern, asked), folder, before=before, now=THURSDAY))["partitions"]


def test_real_files_are_counted_in_the_one_pass(tmp_path: Path) -> None:
    for day, rows in ((29, 3), (30, 4), (31, 0)):
        write_csv(tmp_path / f"orders-2025-12-{day}.csv", ["id"], [(1,)] * rows)
    asked = Partitions("orders-%Y-%m-%d.csv", last=3, fall=0.5)
    report = looked(contract(tmp_path / "orders-*.csv", asked), tmp_path, now=THURSDAY)
    assert report.outcome is Outcome.PASSED and report.profile is not None and report.passes == 1
    assert [(Path(part.name).name[-6:], part.rows) for part in report.profile.parts] == [
        ("29.csv", 3), ("30.csv", 4), ("31.csv", 0),
    ]  # fmt: skip
    write_csv(tmp_path / "orders-2025-12-30.csv", ["id"], [(1,)])
    (tmp_path / "orders-2025-12-31.csv").unlink()
    found = _found(tmp_path, asked, report.profile)
    assert (found.outcome, found.count) == (Outcome.FAILED, 3)
    assert "missing: orders-2025-12-31.csv; gone since the last good run: orders-2025-12-31.csv" in found.reason
    assert "orders-2025-12-30.csv has 1, before 4" in found.reason


def test_one_file_alone_is_one_as_well(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders-2025-12-31.csv", ["id"], [(1,)])
    asked = Partitions("orders-%Y-%m-%d.csv", last=1)
    assert _found(tmp_path, asked).outcome is Outcome.PASSED
    assert _found(tmp_path, Partitions("orders-%Y-%m-%d.csv", last=2)).reason == "missing: orders-2025-12-30.csv"


def test_parquet_has_parts_too(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    for number in (1, 2):
        duckdb.execute(f"copy (select 1 as id from range({number})) to '{tmp_path}/{number}.parquet' (format parquet)")
    asked = contract(tmp_path / "*.parquet", Partitions(), kind=SourceKind.PARQUET)
    profile = looked(asked, tmp_path).profile
    assert profile is not None and [part.rows for part in profile.parts] == [1, 2]
