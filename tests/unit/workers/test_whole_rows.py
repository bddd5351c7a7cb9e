"""Of a file with lines that are no rows everything is told that can be told without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.datasets import by_name, contract, looked
from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.finding import Outcome
from zen_agents.datasets.questions import NotNull, OfType, Readable, RowCount, Unique
from zen_agents.datasets.source import SourceKind


@pytest.mark.parametrize("text", [b"id;v\n1;a\n2\n3;b;c\n4;\nx;d\n", b'id;v\r\n1;a\n2\n3;b;c\r\n4;\n"x";"d"e\nx;"d"\n'])
def test_what_can_be_read_is_checked(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    columns = [Column("id", ColumnType.INTEGER)]
    asked = contract(
        path,
        Readable(),
        NotNull("v"),
        NotNull("id"),
        OfType("id"),
        Unique(("id",)),
        RowCount(1, 4),
        RowCount(1, 6),
        columns=columns,
    )
    report = looked(asked, tmp_path)
    found = by_name(report)
    assert [found[each].outcome for each in ("readable", "not_null.v", "not_null.id", "type.id")] == [
        Outcome.FAILED, Outcome.FAILED, Outcome.PASSED, Outcome.FAILED,
    ]  # fmt: skip
    assert "line 3 has 1 values" in found["readable"].reason or "ends with" in found["readable"].reason
    assert "lines are no rows, everything else is told of the others" in found["readable"].reason
    assert (found["unique.id"].outcome, found["row_count"].outcome) == (Outcome.UNKNOWN, Outcome.UNKNOWN)
    assert found["row_count.2"].outcome is Outcome.PASSED  # also if each of them is a row
    assert report.rows == 3 and not report.unknown


def test_lines_that_are_no_json_leave_the_others_to_be_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"id": 1}\n{"id": 2, junk\n[]\n{"id": null}\n')
    found = by_name(looked(contract(path, Readable(), NotNull("id"), kind=SourceKind.JSONL), tmp_path))
    assert (found["readable"].outcome, found["not_null.id"].outcome) == (Outcome.FAILED, Outcome.FAILED)
    assert "2 lines are no rows" in found["readable"].reason


@pytest.mark.parametrize("text", [b'id,v\n1,"a\n2,b\n3,c\n', b"id,v\n1\n2\n3\n4,a\n"])
def test_of_a_quote_that_does_not_end_and_of_another_kind_of_file_nothing_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    found = by_name(looked(contract(path, Readable(), NotNull("v")), tmp_path))
    assert (found["readable"].outcome, found["not_null.v"].outcome) == (Outcome.FAILED, Outcome.UNKNOWN)
