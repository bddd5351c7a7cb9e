"""Files that are not as they have to be: each is told with its line, and what can be read as it is meant is read so."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.datasets import NOW, by_name, contract, looked, open_to_others, write_csv
from zen_agents.adapters.data_checks import check_data
from zen_agents.datasets.contract import Column, ColumnType, Limits, Repair, RepairKind
from zen_agents.datasets.finding import Outcome
from zen_agents.datasets.job import data_question, report_in
from zen_agents.datasets.questions import Matches, NoDuplicates, NotNull, OfType, OneOf, Readable, RowCount
from zen_agents.datasets.source import SourceKind

MANY = b"a,b\n" + b"1,2\n" * 40_000
LINES = b'{"a": 1}\n' * 20_000


def _zst(content: bytes) -> bytes:
    zstd = pytest.importorskip("backports.zstd" if sys.version_info < (3, 14) else "compression.zstd")
    packed: bytes = zstd.compress(content)
    return packed


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MANY + b'1,"2\n3,4\n', "the row behind line 40001 has a quote that does not end"),
        (b"a,A\n1,2\n", "the header has 'a' twice"),
        (b"a,b\n1," + b"x" * 100_000_000 + b"\n", "line 2 is longer than 2,000,000 characters"),
        (gzip.compress(MANY)[:-9], "ends early"),
        (_flipped(gzip.compress(MANY, 0), 70_000), "is damaged: CRC check failed"),
    ],
    ids=range(5),
)
def test_a_damaged_text_fails_to_be_read_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    report = looked(contract(path, Readable(), NotNull("b")), tmp_path)
    found = by_name(report)
    assert (found["readable"].outcome, found["not_null.b"].outcome) == (Outcome.FAILED, Outcome.UNKNOWN)
    assert said in found["readable"].reason and found["readable"].reason.startswith(str(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b,c\n1,2,3\n4,5", "the last line is torn: line 3 has 2 values, and the first has 3"),
        (MANY + b"3", "the last line is torn: line 40002 has 1 values, and the first has 2"),
        (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3 has 3 values"),
        (b"a,b\n1,2\0\n", "line 2 has a NUL byte"),
    ],
    ids=range(4),
)
def test_a_line_that_is_no_row_is_told_and_the_others_are_checked(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    found = by_name(looked(contract(path, Readable(), NotNull("b")), tmp_path))
    assert (found["readable"].outcome, found["not_null.b"].outcome) == (Outcome.FAILED, Outcome.PASSED)
    assert said in found["readable"].reason and found["readable"].reason.startswith(str(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\r\n1,x\r\n3,y\n", "line 3 ends with LF, and those before it with CRLF"),
        (b"a,b\n" + b"1,x\n" * 40_000 + b"1,y\r\n", "line 40002 ends with CRLF, and those before it with LF"),
        ("a,b\n1,ü\n".encode("latin-1"), "line 2 is not UTF-8 (byte 0xfc); if it is latin-1, write `encoding: latin-1`"),
        ("a,b\n1,“ü”\n".encode("cp1252"), "if it is cp1252, write `encoding: cp1252`"),
        ("a,b\n1,注文は完了しました\n".encode("shift_jis"), "if it is shift_jis, write `encoding: shift_jis`"),
        (MANY + b"1,\xff\n", "line 40002 is not UTF-8"),
        ("a,b\n1,ü\n".encode("utf-16-le"), "it looks like UTF-16 without a byte-order mark; write `encoding: utf-16-le`"),
        ("a,b\n1,ü\n".encode("utf-16-be"), "write `encoding: utf-16-be`"),
    ],
    ids=range(8),
)
def test_rows_are_checked_where_only_characters_or_line_ends_are_wrong_and_that_is_a_finding(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    report = looked(contract(path, Readable(), NotNull("b"), Matches("b", "[0-9xy]+")), tmp_path)
    found = by_name(report)
    assert (found["readable"].outcome, found["not_null.b"].outcome) == (Outcome.FAILED, Outcome.PASSED)
    assert said in found["readable"].reason and found["readable"].reason.startswith(str(path))
    assert report.rows and found["matches.b"].outcome is not Outcome.UNKNOWN and path.read_bytes() == content
    assert all("plain" not in row.file for row in found["matches.b"].evidence)


@pytest.mark.parametrize(
    "encoding", ["cp1252", "latin-1", "shift_jis", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "euc_jp"]
)
def test_what_an_encoding_is_called_is_what_a_file_is_read_in(tmp_path: Path, encoding: str) -> None:
    word = "注文" if encoding in ("shift_jis", "euc_jp") else "ü"
    for name in ("1.csv", "2.csv.gz"):
        content = f"name,n\n{word},1\n{word},2\n".encode(encoding)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    asked = contract(tmp_path / "*.csv*", Readable(), OneOf("name", (word,)), NotNull("n"), encoding=encoding)
    report = looked(asked, tmp_path)
    assert (report.outcome, report.rows) == (Outcome.PASSED, 4), report
    wrong = looked(contract(tmp_path / "1.csv", Readable(), OneOf("name", ("x",)), encoding=encoding), tmp_path)
    assert [cell.text for cell in by_name(wrong)["one_of.name"].evidence[0].cells] == [word]


def test_a_mark_is_a_finding_where_the_contract_wants_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name\r\nü\r\n".encode("utf-8-sig"))

    def said(*repairs: RepairKind, **options: object) -> str:
        asked = replace(contract(path, Readable(), **options), repairs=tuple(map(Repair, repairs)))
        return by_name(looked(asked, tmp_path))["readable"].reason

    assert (said(), said(encoding="utf-8-sig")) == ("", "")
    assert "begins with a byte-order mark" in said(encoding="UTF8")
    assert "begins with a byte-order mark" in said(RepairKind.NORMALISE_ENCODING)
    assert "lines end with CRLF" in said(RepairKind.NORMALISE_LINE_ENDINGS)
    assert "begins like utf-8, and `encoding` says cp1252" in said(encoding="cp1252")


def test_a_file_that_was_repaired_to_utf8_is_read_as_that_whatever_it_was_before(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    repairs = (Repair(RepairKind.NORMALISE_ENCODING),)
    asked = replace(contract(path, Readable(), OneOf("name", ("ü",)), encoding="cp1252"), repairs=repairs)
    path.write_bytes("name\nü\n".encode("cp1252"))
    found = by_name(looked(asked, tmp_path))
    assert "is written in cp1252, and `normalise_encoding` wants UTF-8" in found["readable"].reason
    assert found["one_of.name"].outcome is Outcome.PASSED
    path.write_text("name\nü\n", encoding="utf-8")
    assert looked(asked, tmp_path).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LINES + b'{"a": 1\n' + LINES, "line 20001 is no JSON"),
        (LINES + b'{"a":', "the last line is torn: line 20001"),
        (LINES + b'{"\xff": 1}\n', "line 20001 is not UTF-8"),
        (b'{"a": 1}\n[1]\n', "line 2 is no object"),
    ],
)
def test_a_damaged_line_of_json_is_told_by_its_number(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    found = by_name(looked(contract(path, Readable(), kind=SourceKind.JSONL), tmp_path))["readable"]
    assert found.outcome is Outcome.FAILED and said in found.reason


def test_a_cut_zst_is_told_and_a_whole_one_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(_zst(MANY))
    assert looked(contract(path, RowCount(1)), tmp_path).rows == 40_000
    path.write_bytes(_zst(MANY)[:-3])
    found = by_name(looked(contract(path, Readable()), tmp_path))["readable"]
    assert found.outcome is Outcome.FAILED and "ends early" in found.reason


@pytest.mark.parametrize(
    "content",
    [
        "name;n\nü;1\n".encode("utf-8-sig"), "name\tn\nü\t1\n".encode("utf-16"), b'name|n\r\n"\xc3\xbc"|1\r\n',
        b'"name","n"\n"\xc3\xbc","1"', b'name,n,more\n\xc3\xbc,1,"two\r\nlines, and ""quotes"""\n',
    ],
)  # fmt: skip
def test_separators_and_encodings_are_told_from_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    asked = contract(path, Readable(), OneOf("name", ("ü",)), OfType("n"), columns=[Column("n", ColumnType.INTEGER)])
    report = looked(asked, tmp_path)
    assert (report.outcome, report.rows) == (Outcome.PASSED, 1), report


def test_what_the_contract_says_of_the_encoding_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("name,n\nü,1\n".encode("latin-1"))
    for said in ("latin-1", "ISO-8859-1"):
        assert looked(contract(path, OneOf("name", ("ü",)), encoding=said), tmp_path).outcome is Outcome.PASSED
    found = by_name(looked(contract(path, Readable(), encoding="cp9999"), tmp_path))["readable"]
    assert "nobody knows the encoding 'cp9999'" in found.reason


@pytest.mark.parametrize(
    ("header", "said"),
    [(["b", "a"], "in another order"), (["a", "c"], "missing: 'b'; more: 'c'"), (["A", "b"], "more: 'A'")],
)
def test_a_header_that_is_not_that_of_the_first_file_is_told(tmp_path: Path, header: list[str], said: str) -> None:
    write_csv(tmp_path / "1.csv", ["a", "b"], [(1, 2)])
    write_csv(tmp_path / "2.csv", header, [(1, 2)])
    found = by_name(looked(contract(tmp_path / "*.csv", Readable()), tmp_path))["readable"]
    assert found.outcome is Outcome.FAILED and said in found.reason and "2.csv" in found.reason


def test_ten_thousand_columns_are_columns(tmp_path: Path) -> None:
    names = [f"column {number}" for number in range(10_000)]
    path = write_csv(tmp_path / "a.csv", names, [range(10_000), range(1, 10_001), range(10_000)])
    report = looked(contract(path, Readable(), NotNull(names[-1]), NoDuplicates(), limits=Limits()), tmp_path)
    found = by_name(report)
    assert (report.rows, found["readable"].outcome, found[f"not_null.{names[-1]}"].outcome) == (3, "passed", "passed")
    assert (found["no_duplicates"].outcome, found["no_duplicates"].count) == (Outcome.FAILED, 1)


def test_a_file_that_somebody_has_open_to_write_it_is_not_judged(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    path = write_csv(tmp_path / "a.csv", ["a"], [(1,)])
    question = data_question(contract(path, Readable()), {}, None, NOW)
    with path.open("a"):
        report = report_in(asyncio.run(check_data(question)))
    assert report.outcome is Outcome.UNKNOWN and f"process {os.getpid()} (" in report.unknown
    with path.open("rb") as held, subprocess.Popen(["sleep", "60"], stdin=held) as reader:
        report = report_in(asyncio.run(check_data(question)))
        reader.kill()
    assert report.outcome is Outcome.PASSED
