"""What is found in files: which rows, what moved since the last time, and what could not be told."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import duckdb
import pytest

from tests.support.datasets import NOW, by_name, contract, looked, write_csv
from zen_agents.datasets.contract import Column, ColumnType, Limits, Tolerance
from zen_agents.datasets.finding import Cell, ColumnProfile, Outcome, Profile, Share
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Drift,
    Fresh,
    HasColumns,
    Holds,
    NotNull,
    OfType,
    Readable,
    References,
    RowCount,
    RowCountChange,
    Unique,
)
from zen_agents.datasets.source import SourceKind
from zen_agents.workers.duck import Duck

NUMBER = Column("n", ColumnType.INTEGER)


def test_failing_rows_have_their_number_key_and_values(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["id", "n"], [(1, 5), (2, -1), (3, 7), (4, -2)])
    asked = contract(path, Unique(("id",)), Between("n", 0), columns=[NUMBER])
    (first, second) = by_name(looked(asked, tmp_path))["between.n"].evidence
    assert (first.number, first.keys, first.cells) == (2, (Cell("id", "2"),), (Cell("n", "-1"),))
    assert (second.number, second.cells) == (4, (Cell("n", "-2"),))


def test_of_several_files_each_counts_its_own_rows(tmp_path: Path) -> None:
    for name, rows in (("a", [(1, 1), (2, None)]), ("b", [(3, 1)]), ("c", [(4, None), (5, 1), (2, None)])):
        write_csv(tmp_path / f"{name}.csv", ["id", "n"], rows)
    report = looked(contract(tmp_path / "*.csv", NotNull("n"), Unique(("id",))), tmp_path)
    assert report.rows == 6
    places = [(Path(row.file).name, row.number) for row in by_name(report)["not_null.n"].evidence]
    assert places == [("a.csv", 2), ("c.csv", 1), ("c.csv", 3)]
    twins = by_name(report)["unique.id"]
    assert (twins.count, [(Path(row.file).name, row.number) for row in twins.evidence]) == (2, [("a.csv", 2), ("c.csv", 3)])


def test_evidence_is_bounded_in_rows_and_in_text(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["id", "n"], [("x" * 5000, None)] * 50)
    asked = contract(path, NotNull("n"), limits=Limits(256 << 20, 1, evidence_rows=3, keys=("id",)))
    found = by_name(looked(asked, tmp_path))["not_null.n"]
    assert (found.count, len(found.evidence), len(found.evidence[0].keys[0].text or "")) == (50, 3, 200)
    none = contract(path, NotNull("n"), limits=Limits(256 << 20, 1, evidence_rows=0))
    assert by_name(looked(none, tmp_path))["not_null.n"].evidence == ()


@pytest.mark.parametrize("kind", [SourceKind.CSV, SourceKind.PARQUET])
def test_the_only_row_that_fails_is_not_looked_for_behind_it(
    tmp_path: Path, kind: SourceKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, asked, rows = tmp_path / "a", list[str](), Duck.rows
    duckdb.execute(f"copy (select nullif(range, 7) as n from range(100)) to '{path}' (format {kind.value})")
    monkeypatch.setattr(Duck, "rows", lambda duck, query: (asked.append(query.text()), rows(duck, query))[1])
    (found,) = looked(contract(path, NotNull("n"), kind=kind), tmp_path).findings
    assert (found.count, [row.number for row in found.evidence]) == (1, [8])
    assert asked[-1].endswith("IS NULL LIMIT 1")


def test_a_tolerance_is_kept_and_what_is_tolerated_is_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["id", "n"], [(number, None if number < 2 else 1) for number in range(100)])
    for tolerance, outcome in ((Tolerance(share=0.02), Outcome.TOLERATED), (Tolerance(rows=1), Outcome.FAILED)):
        found = by_name(looked(contract(path, NotNull("n"), tolerance=tolerance), tmp_path))["not_null.n"]
        assert (found.outcome, found.count, found.total, len(found.evidence)) == (outcome, 2, 100, 2)


def test_a_packed_file_is_read_as_what_it_is_and_not_as_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"n\n1\n2\n"))
    assert looked(contract(path, RowCount(1)), tmp_path).rows == 2


@pytest.mark.parametrize("kind", [SourceKind.PARQUET, SourceKind.CSV])
def test_what_is_damaged_fails_to_be_read_and_nothing_else_is_told(tmp_path: Path, kind: SourceKind) -> None:
    path = tmp_path / "a"
    path.write_bytes(
        b"PAR1 and nothing else" if kind is SourceKind.PARQUET else gzip.compress(b"n\n" + os.urandom(9999))[:500]
    )
    report = looked(contract(path, Readable(), NotNull("n"), kind=kind), tmp_path)
    found = by_name(report)
    assert (found["readable"].outcome, found["not_null.n"].outcome) == (Outcome.FAILED, Outcome.UNKNOWN)
    assert report.rows is None and report.outcome is Outcome.FAILED and found["readable"].reason


@pytest.mark.parametrize("kind", [SourceKind.CSV, SourceKind.PARQUET])
def test_of_many_keys_that_are_there_twice_the_least_are_shown(tmp_path: Path, kind: SourceKind) -> None:
    path = tmp_path / "a"
    form = "format parquet" if kind is SourceKind.PARQUET else "format csv, header"
    duckdb.execute(f"copy (select (range * 7919) % 5000 as id from range(10000)) to '{path}' ({form})")
    asked = contract(
        path, Unique(("id",)), kind=kind, columns=[Column("id", ColumnType.INTEGER)], limits=Limits(evidence_rows=3)
    )
    shown = by_name(looked(asked, tmp_path))["unique.id"].evidence
    assert {cell.text for row in shown for cell in row.keys} <= {"0", "1", "2"} and len(shown) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"id,n\n1,2\n", "is no Parquet file"), (b"PAR1 and nothing else", "has no footer")],
)
def test_what_is_wrong_with_the_ends_of_a_parquet_file_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    found = by_name(looked(contract(path, Readable(), kind=SourceKind.PARQUET), tmp_path))
    assert found["readable"].outcome is Outcome.FAILED and f"{path}: {said}" in found["readable"].reason


def test_a_parquet_file_whose_pages_are_damaged_is_not_readable_whatever_its_footer_still_tells(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.execute(f"copy (select range as id, 'c' || range as s from range(300)) to '{path}' (format parquet)")
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:4] + bytes(each ^ 0x5A for each in whole[4:half]) + whole[half:])
    report = looked(contract(path, Readable(), NotNull("id"), Unique(("id",)), kind=SourceKind.PARQUET), tmp_path)
    assert by_name(report)["readable"].outcome is Outcome.FAILED and report.rows is None


@pytest.mark.parametrize("damage", ["secret,x\n" * 3 + "secret,y,z\n", '"secret,x\n' + "secret," * 9, "secret,\xff\n"])
def test_why_a_file_cannot_be_read_says_nothing_of_its_rows(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,s\n" + damage.encode("latin-1"))
    report = looked(contract(path, Readable(), Holds("id > 5"), delimiter=",", quote='"'), tmp_path)
    assert "secret" not in str([(finding.reason, report.unknown) for finding in report.findings])
    assert str(path) in report.findings[0].reason or report.rows is not None or "Line" in report.findings[0].reason


def test_a_column_that_vanished_is_told_with_what_is_called_nearly_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["id", "amuont"], [(1, 2)])
    columns = [Column("id"), Column("amount", ColumnType.NUMBER), Column("note", optional=True)]
    found = by_name(
        looked(contract(path, HasColumns(exact=True), NotNull("amount"), NotNull("id"), columns=columns), tmp_path)
    )
    assert (found["columns"].outcome, found["columns"].count) == (Outcome.FAILED, 2)
    assert found["columns"].reason == "missing: 'amount'; not expected: 'amuont'"
    others = by_name(looked(contract(path, HasColumns(), columns=columns), tmp_path))
    assert others["columns"].reason == "missing: 'amount'; there instead: 'amuont'"
    assert found["not_null.amount"].outcome is Outcome.UNKNOWN
    assert "is it 'amuont'?" in found["not_null.amount"].reason
    assert found["not_null.id"].outcome is Outcome.PASSED


def test_names_and_values_are_never_read_as_sql(tmp_path: Path) -> None:
    name = 'x"); select 1; --'
    path = write_csv(tmp_path / "a.csv", [name, "filename", "rows_", "f0"], [("'; drop", 1, 2, 3), ("'; drop", None, 2, 3)])
    report = looked(contract(path, Unique((name,)), NotNull(name), NotNull("filename"), NotNull("f0")), tmp_path)
    assert {check: finding.count for check, finding in by_name(report).items()} == {
        f"unique.{name}": 2, f"not_null.{name}": 0, "not_null.filename": 1, "not_null.f0": 0,
    }  # fmt: skip


def test_what_needs_a_type_says_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["a", "b"], [("9", "10")])
    found = by_name(looked(contract(path, Compared("a", "<=", "b"), Between("a", 1, 2), Fresh(1, "a")), tmp_path))
    assert {finding.outcome for finding in found.values()} == {Outcome.UNKNOWN}
    assert all("type" in finding.reason for finding in found.values())


def test_a_condition_that_breaks_on_a_value_keeps_nothing_else_from_being_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["n", "m"], [("1", "x"), ("2", None)])
    found = by_name(looked(contract(path, NotNull("m"), Holds("m > 5"), Holds("nn > 5"), columns=[NUMBER]), tmp_path))
    assert [found[name].outcome for name in ("not_null.m", "holds", "holds.2")] == [
        Outcome.FAILED, Outcome.UNKNOWN, Outcome.UNKNOWN,
    ]  # fmt: skip
    assert "'nn'" in found["holds.2"].reason


def test_age_is_told_by_a_column_or_by_the_newest_file(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", ["at"], [("2027-01-15T07:00:00Z",), ("2027-01-15 08:00:00+02:00",), ("2026-01-01",)]
    )
    os.utime(path, (NOW - 100, NOW - 100))
    at = [Column("at", ColumnType.TIMESTAMP)]
    found = looked(
        contract(path, Fresh(99), Fresh(101), Fresh(3599, "at"), Fresh(3601, "at"), columns=at), tmp_path
    ).findings
    assert [(each.outcome, each.value) for each in found] == [
        (Outcome.FAILED, 100.0), (Outcome.PASSED, 100.0), (Outcome.FAILED, 3600.0), (Outcome.PASSED, 3600.0),
    ]  # fmt: skip
    assert NOW == 1_800_000_000.0 and "2027-01-15T08:00:00Z"


def test_a_key_has_to_be_one_of_the_other_data_set(tmp_path: Path) -> None:
    orders = write_csv(tmp_path / "orders.csv", ["id", "customer", "shop"], [(1, "007", "x"), (2, "8", "x"), (3, "", "y")])
    customers = write_csv(tmp_path / "customers.csv", ["nr", "shop"], [("7", "x"), ("9", "x")])
    typed = [Column("customer", ColumnType.INTEGER)]
    other = contract(customers, name="customers", columns=[Column("nr", ColumnType.INTEGER)])
    single = References(("customer",), "customers", ("nr",))
    pair = References(("customer", "shop"), "customers", ("nr", "shop"))
    found = by_name(looked(contract(orders, single, pair, columns=typed), tmp_path, others=[other]))
    for each in found.values():
        assert (each.outcome, each.count, each.total) == (Outcome.FAILED, 1, 3)
        assert (each.evidence[0].number, each.evidence[0].cells[0]) == (2, Cell("customer", "8"))
    lost = by_name(looked(contract(orders, References(("id",), "nobody", ("id",))), tmp_path))["references.id"]
    assert (lost.outcome, lost.reason) == (Outcome.UNKNOWN, "there is no data set 'nobody'")


def test_what_moved_since_the_last_good_run_is_told_and_the_first_has_nothing_to_compare(tmp_path: Path) -> None:
    rows = [("new" if number % 2 else "paid", number) for number in range(100)]
    path = write_csv(tmp_path / "a.csv", ["state", "n"], rows)
    asked = contract(
        path, Drift("state", "shares", 0.2), Drift("n", "quantiles", 0.2), RowCountChange(fall=0.1), columns=[NUMBER]
    )
    first = looked(asked, tmp_path)
    assert first.is_good and first.profile is not None
    assert first.profile.columns[0] == ColumnProfile("state", shares=(Share("new", 0.5), Share("paid", 0.5)))
    assert looked(asked, tmp_path, before=first.profile).outcome is Outcome.PASSED
    write_csv(path, ["state", "n"], [("new", number + 90) for number in range(80)])
    found = by_name(looked(asked, tmp_path, before=first.profile))
    assert {name: each.outcome for name, each in found.items()} == dict.fromkeys(found, Outcome.FAILED)
    assert found["drift.state"].value == pytest.approx(0.5)
    assert found["row_count_change"].value == pytest.approx(-0.2)
    write_csv(path, ["state", "n"], [*rows, ("lost", 50)])
    assert looked(asked, tmp_path, before=first.profile).outcome is Outcome.PASSED
    assert looked(asked, tmp_path, before=Profile(0)).outcome is Outcome.PASSED


def test_one_pass_over_a_text_file_tells_everything_that_holds(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["id", "n"], [(number, number) for number in range(10)])
    asked = [
        Unique(("id",)),
        Unique(("id", "n")),
        NotNull("n"),
        OfType("n"),
        Between("n", 0, 9),
        RowCount(1),
        Holds("n >= 0"),
    ]
    assert looked(contract(path, *asked, columns=[NUMBER]), tmp_path).passes == 1


def test_lines_of_json_are_read_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [{"n": 1, "s": "x"}, {"n": "2"}, {"n": 2.5, "s": None, "deep": {"a": [1]}}]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    asked = contract(path, OfType("n"), NotNull("s"), NotNull("t"), columns=[NUMBER, Column("t")], kind=SourceKind.JSONL)
    found = by_name(looked(asked, tmp_path))
    assert (found["type.n"].count, found["not_null.s"].count, found["not_null.t"].count) == (1, 2, 3)
    assert found["type.n"].evidence[0].number == 3
