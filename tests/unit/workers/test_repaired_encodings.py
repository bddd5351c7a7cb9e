"""Files in other characters that become UTF-8, once; and rows that read like more than they are, which stay text."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.datasets import contract, open_to_others
from zen_agents.adapters.data_repairs import look_at_repair, repaired
from zen_agents.datasets.contract import Column, ColumnType, Contract, Repair, RepairKind
from zen_agents.datasets.job import repair_question
from zen_agents.datasets.questions import Between

NUMBER = Column("n", ColumnType.INTEGER)
TEXT = "name;n\nMüller;1\n"


def _asked(path: Path, kind: RepairKind, **options: object) -> Contract:
    open_to_others(path.parent)
    return replace(contract(path, Between("n", 0, 9), columns=[NUMBER], delimiter=";", **options), repairs=(Repair(kind),))


def _written(asked: Contract) -> tuple[bytes, bytes]:
    async def work() -> tuple[bytes, bytes]:
        async with repaired(repair_question(asked)) as found:
            with found.opened() as descriptor:
                content = os.read(descriptor, 1 << 16)
            if not found.repair.taken:
                return content, b""
            with found.taken() as descriptor:
                return content, os.read(descriptor, 1 << 16)

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("cp1252", "cp1252"), ("utf-16", ""), ("utf-16-le", ""), ("utf-32", ""), ("utf-8-sig", "")],
)
def test_a_file_becomes_utf8_and_is_left_alone_from_then_on(tmp_path: Path, encoding: str, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT.encode(encoding))
    asked = _asked(path, RepairKind.NORMALISE_ENCODING, encoding=said)
    assert _written(asked)[0] == TEXT.encode()
    path.write_bytes(TEXT.encode())
    (again,) = asyncio.run(look_at_repair(repair_question(asked))).files
    assert not again.is_needed, again


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "@SUM(1)"])
def test_a_formula_that_is_taken_out_stands_in_json_and_stays_as_it_is_where_it_stays(tmp_path: Path, formula: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"name;n\n{formula};1\n{formula};99\n", encoding="utf-8")
    content, taken = _written(_asked(path, RepairKind.QUARANTINE_ROWS))
    assert content.decode() == f"name;n\n{formula};1\n"
    assert taken.startswith(b"{") and json.loads(taken)["values"] == {"name": formula, "n": "99"}
