"""Every count is the one that reading row by row gives, whatever the file is."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.datasets import by_name, contract, looked, write_csv
from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.questions import (
    Between,
    Compared,
    HasColumns,
    Holds,
    Length,
    Matches,
    NoDuplicates,
    NoneOf,
    NotNull,
    OfType,
    OneOf,
    Question,
    Readable,
    RowCount,
    Unique,
)
from zen_agents.datasets.source import SourceKind

COLUMNS = (
    Column("id", ColumnType.INTEGER),
    Column("amount", ColumnType.NUMBER),
    Column("status"),
    Column("ordered", ColumnType.DATE),
    Column('sh"ip; drop', ColumnType.DATE),
)
NAMES = [column.name for column in COLUMNS]
Row = tuple[str | None, ...]

IDS = st.one_of(
    st.none(), st.integers(-3, 6).map(str), st.sampled_from(["1.5", "x", "007", "+7", "1e3", "0x1F", "1_0", " 1", "9" * 19])
)
AMOUNTS = st.one_of(st.none(), st.sampled_from(["0", "-1", "99.5", "100", "100.01", "1e2", "abc", "1,5", "1_0", " 2", ".5"]))
STATES = st.one_of(st.none(), st.sampled_from(["new", "paid", "late", "x'); --", "ünï", "a\nb", 'q"q', "new "]))
DAYS = st.one_of(
    st.none(), st.sampled_from(["2026-01-01", "2026-01-31", "2026-02-30", "2026-1-3", "20260101", "2026-01-02 10:00"])
)
TABLES = st.lists(st.tuples(IDS, AMOUNTS, STATES, DAYS, DAYS), max_size=12)


def _integer(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[+-]?[0-9]+", text) and abs(int(text)) < 2**63 else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[0-9]+)?", text) else None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None
    except ValueError:
        return None


def _twins(keys: Sequence[tuple[object, ...]]) -> int:
    counts = Counter(key for key in keys if None not in key)
    return sum(count for count in counts.values() if count > 1)


def _every(fails: Callable[[Row], bool]) -> Callable[[Sequence[Row]], int]:
    return lambda rows: sum(map(fails, rows))


#: Each question, and what it comes to when somebody reads row by row.
ASKED: list[tuple[Question, Callable[[Sequence[Row]], int]]] = [
    (Readable(), lambda rows: 0),
    (HasColumns(exact=True), lambda rows: 0),
    (RowCount(3, 9), lambda rows: not 3 <= len(rows) <= 9),
    (OfType("id"), _every(lambda row: row[0] is not None and _integer(row[0]) is None)),
    (OfType("amount"), _every(lambda row: row[1] is not None and _number(row[1]) is None)),
    (OfType("ordered"), _every(lambda row: row[3] is not None and _day(row[3]) is None)),
    (NotNull("id"), _every(lambda row: row[0] is None)),
    (Unique(("id",)), lambda rows: _twins([(_integer(row[0]),) for row in rows])),
    (Unique(("status", "ordered")), lambda rows: _twins([(row[2], _day(row[3])) for row in rows])),
    (NoDuplicates(), lambda rows: len(rows) - len(set(rows))),
    (Between("amount", 0, 100), _every(lambda row: (at := _number(row[1])) is not None and not 0 <= at <= 100)),
    (Between("id", 0, 5, strict=True), _every(lambda row: (at := _integer(row[0])) is not None and not 0 < at < 5)),
    (Between("ordered", "2026-01-02"), _every(lambda row: (at := _day(row[3])) is not None and at < date(2026, 1, 2))),
    (OneOf("status", ("new", "paid")), _every(lambda row: row[2] not in (None, "new", "paid"))),
    (NoneOf("status", ("x'); --", "late")), _every(lambda row: row[2] in ("x'); --", "late"))),
    (Matches("status", "[a-z]+"), _every(lambda row: row[2] is not None and not re.fullmatch("[a-z]+", row[2]))),
    (Length("status", 4, 4), _every(lambda row: row[2] is not None and len(row[2]) != 4)),
    (
        Compared(NAMES[4], ">=", "ordered"),
        _every(lambda row: (a := _day(row[4])) is not None and (b := _day(row[3])) is not None and a < b),
    ),
    (
        Holds("amount <= 100 or status = 'late'"),
        _every(lambda row: row[2] is not None and row[2] != "late" and (_number(row[1]) or 0) > 100),
    ),
]  # fmt: skip


def _as_csv(folder: Path, rows: Sequence[Row]) -> Path:
    return write_csv(folder / "rows.csv", NAMES, rows)


def _as_lines(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows), encoding="utf-8")
    return path


def _as_parquet(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "rows.parquet"
    with duckdb.connect() as duck:
        quoted = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" VARCHAR' for name in NAMES)
        duck.execute(f"create table t ({quoted})")
        if rows:
            duck.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
        duck.execute(f"copy t to '{path}' (format parquet)")
    return path


WRITERS = {SourceKind.CSV: _as_csv, SourceKind.JSONL: _as_lines, SourceKind.PARQUET: _as_parquet}


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=TABLES)
def test_as_many_as_reading_row_by_row_finds(kind: SourceKind, rows: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        asked = contract(WRITERS[kind](folder, rows), *(each for each, _ in ASKED), columns=COLUMNS, kind=kind)
        report = looked(asked, folder)
    assert report.rows == len(rows)
    found = {finding.check: (finding.count, finding.reason) for finding in report.findings}
    wanted = {check.name: int(count(rows)) for check, (_, count) in zip(asked.checks, ASKED, strict=True)}
    assert {name: count for name, (count, _) in found.items()} == wanted, found
    assert all(
        len(finding.evidence) == min(finding.count, 10) or not finding.evidence for finding in by_name(report).values()
    )
