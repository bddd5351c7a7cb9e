"""Files of data sets repaired by the worker as it is started: what it writes, what it takes out, and that all adds up."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.datasets import contract, open_to_others
from zen_agents.adapters.data_repairs import look_at_repair, repaired
from zen_agents.datasets.contract import Column, ColumnType, Contract, Limits, Repair, RepairKind
from zen_agents.datasets.job import repair_question
from zen_agents.datasets.questions import Between, NotNull, OfType
from zen_agents.datasets.source import SourceKind
from zen_agents.errors import HostError, StalePlanError
from zen_agents.jobs.data_repair import FileRepair

K = RepairKind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory that others may enter."""
    open_to_others(tmp_path)
    return tmp_path


def done(asked: Contract) -> tuple[FileRepair, bytes, Sequence[Any]]:
    """Return what was done, what the file is to hold, and the rows that were taken out."""

    async def work() -> tuple[FileRepair, bytes, Sequence[Any]]:
        async with repaired(repair_question(asked, shown=5)) as found:
            with found.opened() as descriptor:
                content = os.read(descriptor, 1 << 20)
            if not found.repair.taken:
                return found.repair, content, ()
            with found.taken() as descriptor:
                return found.repair, content, [json.loads(line) for line in os.read(descriptor, 1 << 20).splitlines()]

    return asyncio.run(work())


def repairing(
    path: Path, *repairs: Repair, asks: Sequence[Any] = (), columns: Sequence[Column] = (), **more: Any
) -> Contract:
    return replace(contract(path, *asks, columns=columns, **more), repairs=repairs)


def test_cells_are_repaired_in_the_order_of_the_contract_and_the_dialect_stays(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(
        b'Order Id;name;amount;day\r\n 1 ; ACME ;"1.234,5";31.12.2025\r\n2;"x;\n""y""";;2025-01-01\r\n3;z;-5;2025-01-02\r\n'
    )
    columns = (
        Column("order_id", ColumnType.INTEGER), Column("amount", ColumnType.NUMBER), Column("day", ColumnType.DATE),
    )  # fmt: skip
    repair, content, taken = done(
        repairing(
            path, Repair(K.RENAME_HEADERS), Repair(K.TRIM), Repair(K.NORMALISE_CASE, ("name",), form="lower"),
            Repair(K.COERCE, ("amount",), form=","), Repair(K.COERCE, ("day",), form="%d.%m.%Y"),
            Repair(K.FILL, ("amount",), value=0), Repair(K.CLAMP, ("amount",), least=0), columns=columns,
        )
    )  # fmt: skip
    assert content == (
        b'order_id;name;amount;day\r\n1;acme;1234.5;2025-12-31\r\n2;"x;\n""y""";0;2025-01-01\r\n3;z;0;2025-01-02\r\n'
    )
    assert (repair.rows, repair.kept, repair.changed, repair.renamed) == (3, 3, 3, {"Order Id": "order_id"})
    assert not taken and repair.preview[0].cells[0].before == " 1 " and repair.preview[0].cells[0].after == "1"


def test_what_is_no_row_and_bad_rows_are_taken_out_with_number_and_reason(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text("id,v\n1,a\n2\n3,b,c\nx,=1+1\n1,a\n4,\n", encoding="utf-8")
    asked = repairing(
        path, Repair(K.DROP_DUPLICATES), Repair(K.QUARANTINE_ROWS), asks=[OfType("id"), NotNull("v")],
        columns=[Column("id", ColumnType.INTEGER)],
    )  # fmt: skip
    repair, content, taken = done(asked)
    assert content == b"id,v\n1,a\n"
    assert (repair.rows, repair.kept, repair.taken, repair.dropped) == (6, 1, 4, 1)
    assert [each["reason"] for each in taken] == ["missing columns", "too many columns", "type.id", "not_null.v"]
    assert [(each.number, each.line, each.why) for each in repair.leaving] == [
        (2, None, "type.id"), (4, None, "not_null.v"), (None, 3, "missing columns"), (None, 4, "too many columns"),
    ]  # fmt: skip
    assert taken[0] == {"line_number": 3, "reason": "missing columns", "line": "2"}
    assert taken[2]["values"] == {"id": "x", "v": "=1+1"}


def test_rows_that_need_no_repair_stay_to_the_byte(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(b'"id","v"\n"1","a"\n\n2, "b" \n"3"," c"\n4,"5"" x\ny"\n"1","a"\n1,a\n6,')
    repair, content, _ = done(repairing(path, Repair(K.TRIM), Repair(K.DROP_DUPLICATES)))
    assert content == b'"id","v"\n"1","a"\n\n2, "b" \n3,c\n4,"5"" x\ny"\n6,'
    assert (repair.rows, repair.changed, repair.dropped) == (7, 1, 2)


def test_what_is_taken_out_is_written_as_it_was(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(b"id,v\r\n 1 ,a\r\nx , b\r\n2,\xff\r\n\r\n3\r\n4,d\r\n")
    asks, columns = [OfType("id")], [Column("id", ColumnType.INTEGER)]
    repair, content, taken = done(repairing(path, Repair(K.TRIM), Repair(K.QUARANTINE_ROWS), asks=asks, columns=columns))
    assert content == b"id,v\r\n1,a\r\n\r\n4,d\r\n" and (repair.rows, repair.kept, repair.taken) == (5, 2, 3)
    assert taken[0] == {"row": 2, "reason": "type.id", "values": {"id": "x ", "v": " b"}}
    assert [(each["reason"], each["line"]) for each in taken[1:]] == [
        ("invalid encoding", "2,\\xff"), ("missing columns", "3"),
    ]  # fmt: skip


def test_a_quote_that_does_not_end_is_for_people(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(b'id,v\n 1,a\n2,"b\n3,c\n4,d\n')
    with pytest.raises(HostError, match="line 3 has a quote that does not end"):
        done(repairing(path, Repair(K.TRIM), Repair(K.QUARANTINE_ROWS)))


def test_json_lines_keep_what_is_not_repaired_to_the_byte(folder: Path) -> None:
    path = folder / "a.jsonl"
    path.write_bytes(b'{"id": 1,  "b": [1, 2]}\n{"id": 2, \x01\x02 junk\n{"id": " 7 ", "b": "\xc3\xa4"}\n[]\n{"b":"\xff"}\n')
    columns = [Column("id", ColumnType.INTEGER)]
    asked = repairing(path, Repair(K.COERCE), Repair(K.QUARANTINE_ROWS), kind=SourceKind.JSONL, columns=columns)
    repair, content, taken = done(asked)
    assert content == b'{"id": 1,  "b": [1, 2]}\n{"id": 7, "b": "\xc3\xa4"}\n'
    assert (repair.rows, repair.kept, repair.taken) == (5, 2, 3) and len(taken) == 3


def test_a_repaired_line_of_json_keeps_its_other_members_digit_by_digit(folder: Path) -> None:
    path = folder / "a.jsonl"
    kept = '{"big": 12345678901234567.89, "n": %s, "z": 0.1000000000000000055, "e": "\\u00e9"}\n'
    path.write_text(kept % '" x "' + kept % '"x"' + '{"z": 1}\n', encoding="utf-8")
    asked = repairing(
        path, Repair(K.TRIM), Repair(K.FILL, ("n",), value="none"), Repair(K.DROP_DUPLICATES), kind=SourceKind.JSONL
    )
    repair, content, _ = done(asked)
    assert content.decode() == kept % '"x"' + '{"z": 1, "n": "none"}\n'
    assert (repair.changed, repair.dropped) == (2, 1)
    assert [each.after for row in repair.preview for each in row.cells] == ["x", "none"]


def test_a_line_that_is_far_too_long_is_told_in_words(folder: Path) -> None:
    path = folder / "a.jsonl"
    with path.open("wb") as out:
        out.write(b'{"id": 1}\n{"id": "')
        out.write(b"x" * 300_000_000)
        out.write(b'"}\n{"id": 3}\n')
    with pytest.raises(HostError, match="a line is longer than can be read at once"):
        done(replace(repairing(path, Repair(K.TRIM), kind=SourceKind.JSONL), limits=Limits()))


def test_parquet_keeps_its_types_and_how_it_is_packed(folder: Path) -> None:
    path = folder / "a.parquet"
    rows = "SELECT i::INT AS id, if(i = 5, ' a ', 'a') AS t, if(i = 7, NULL, i) AS q FROM range(9) r(i)"
    duckdb.sql(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    path.chmod(0o644)
    asked = repairing(path, Repair(K.TRIM), Repair(K.QUARANTINE_ROWS), asks=[NotNull("q")], kind=SourceKind.PARQUET)
    repair, content, taken = done(asked)
    new = folder / "new.parquet"
    new.write_bytes(content)
    assert (repair.rows, repair.kept, repair.changed) == (9, 8, 1)
    assert taken == [{"row": 8, "reason": "not_null.q", "values": {"id": 7, "t": "a", "q": None}}]
    found = duckdb.sql(f"DESCRIBE SELECT * FROM '{new}'").fetchall()
    assert [each[1] for each in found] == ["INTEGER", "VARCHAR", "BIGINT"]
    assert duckdb.sql(f"SELECT DISTINCT compression FROM parquet_metadata('{new}')").fetchall() == [("ZSTD",)]


def test_line_ends_and_encoding_are_kept_unless_they_are_to_be_repaired(folder: Path) -> None:
    path = folder / "a.csv.gz"
    path.write_bytes(gzip.compress("id,v\r\n1, ä\r\n".encode("cp1252")))
    asked = repairing(path, Repair(K.TRIM), encoding="windows-1252")
    assert gzip.decompress(done(asked)[1]) == "id,v\r\n1,ä\r\n".encode("cp1252")
    whole = (Repair(K.NORMALISE_ENCODING), Repair(K.NORMALISE_LINE_ENDINGS))
    repair, content, _ = done(repairing(path, *whole, encoding="windows-1252"))
    assert gzip.decompress(content) == "id,v\n1, ä\n".encode()
    assert set(repair.rewritten) == {"line ends", "cp1252 to UTF-8"}


def test_a_byte_order_mark_stays_where_nobody_wants_it_gone(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfid,v\n1, x\n")
    assert done(repairing(path, Repair(K.TRIM)))[1] == b"\xef\xbb\xbfid,v\n1,x\n"
    assert done(repairing(path, Repair(K.NORMALISE_ENCODING)))[1] == b"id,v\n1, x\n"


def test_what_needs_no_repair_and_what_cannot_be_repaired_is_said(folder: Path) -> None:
    path = folder / "a.csv"
    path.write_text("id,v\n1,a\n2\n", encoding="utf-8")
    with pytest.raises(HostError, match=r"a\.csv"):
        done(repairing(path, Repair(K.TRIM)))
    path.write_text("id,v\n1,a\n", encoding="utf-8")
    with pytest.raises(StalePlanError, match="needs a repair"):
        done(repairing(path, Repair(K.TRIM)))
    with pytest.raises(HostError, match="there is no column 'vv'; is it 'v'"):
        done(repairing(path, Repair(K.TRIM, ("vv",))))
    reply = asyncio.run(look_at_repair(repair_question(contract(path))))
    assert "allows no repair" in reply.unable


_CELLS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6), st.sampled_from(["", " 1", "1"])
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=12))
def test_rows_in_are_rows_kept_and_taken_out_and_dropped_for_any_table(folder: Path, rows: list[tuple[str, str]]) -> None:
    path = folder / "any.csv"
    quoted = ['"' + '","'.join(cell.replace('"', '""') for cell in row) + '"' for row in rows]
    path.write_text("\n".join(['"id","v"', *quoted]) + "\n", encoding="utf-8", newline="")
    asked = repairing(
        path, Repair(K.TRIM), Repair(K.COERCE), Repair(K.DROP_DUPLICATES), Repair(K.QUARANTINE_ROWS),
        asks=[Between("id", 0, 5)], columns=[Column("id", ColumnType.INTEGER)], delimiter=",", quote='"', escape='"',
    )  # fmt: skip
    try:
        repair, _, taken = done(asked)
    except StalePlanError:
        return
    assert repair.rows == len(rows) == repair.kept + repair.taken + repair.dropped and len(taken) == repair.taken
