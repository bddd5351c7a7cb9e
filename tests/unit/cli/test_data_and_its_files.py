"""`data`: what hostile or wrong files, and files in the way, make of what it prints and writes."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.datasets import open_to_others, write_csv

CONTRACT = "columns: {id: integer}\n"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_others(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("orders.yaml").write_text(CONTRACT)
    write_csv(Path("good.csv"), ["id", "amount"], [(1, 5), (2, 7)])


def test_names_of_columns_move_no_cursor_and_fill_no_screen() -> None:
    hostile, long = "a\x1b]0;hi\x07", "L" * 10_000
    write_csv(Path("bad.csv"), [hostile, "\u202eb", long], [("x", 1, 1), ("x", 1, 1)])
    asked = {"exact": True, "expect": [{"column": hostile, "unique": True}]}
    Path("orders.yaml").write_text(json.dumps(asked))
    told = command("data", "check", "bad.csv", "--contract", "orders.yaml", "--evidence", "1")
    assert told.code == 1 and "2 of 2 rows" in told.out
    assert all(each.isprintable() for each in told.out.splitlines()) and len(told.out) < 1000


def test_nothing_at_all_has_no_columns() -> None:
    Path("good.csv").write_text("")
    told = command("data", "check", "good.csv", "--contract", "orders.yaml")
    assert told.code == 1 and "missing: 'id'" in told.out and "column0" not in told.out


def test_a_file_that_is_a_database_is_told_how_to_be_named() -> None:
    with closing(sqlite3.connect("shop.db")):
        told = command("data", "check", "shop.db", "--contract", "orders.yaml")
    assert told.code == 2 and "source: {sqlite: " in told.err and "table: NAME" in told.err


def test_a_copy_is_nothing_that_a_person_is_asked_for() -> None:
    Path("orders.yaml").write_text("repair: [trim]\n")
    write_csv(Path("good.csv"), ["id", "name"], [(1, " a"), (2, "b\u0300 ")])
    seen = command("data", "repair", "good.csv", "--contract", "orders.yaml", "--dry-run")
    assert "a person is asked first" in seen.out
    assert "a person is asked" not in command("data", "repair", "good.csv", "--contract", "orders.yaml", "--to", "b.csv").out


@pytest.mark.parametrize("form", ["--html", "--junit"])
def test_a_report_is_written_over_nothing_but_an_earlier_one(form: str) -> None:
    told = ("data", "report", "good.csv", "--contract", "orders.yaml", form)
    for path in (Path("good.csv"), Path("orders.yaml")):
        before = path.read_bytes()
        refused = command(*told, str(path))
        assert refused.code == 2 and "no earlier report" in refused.err and path.read_bytes() == before
    assert [command(*told, "a.report").code for _ in range(2)] == [0, 0]
    assert command(*told, "none/a.report").code == 2


def test_a_copy_may_be_read_by_nobody_who_may_not_read_the_original() -> None:
    Path("orders.yaml").write_text(CONTRACT + "repair: [trim, quarantine_rows]\n")
    write_csv(Path("good.csv"), ["id", "name"], [(1, " a"), ("x", "b")])
    if os.geteuid() == 0:
        os.chown("good.csv", 65534, 65534)
    Path("good.csv").chmod(0o640)
    done = command("data", "repair", "good.csv", "--contract", "orders.yaml", "--to", "b.csv")
    assert done.code == 0, done.err
    modes = {stat.S_IMODE(Path(name).stat().st_mode) & 0o137 for name in ("b.csv", "b.csv.quarantined")}
    assert modes == {0}


def test_a_command_that_is_shown_can_be_typed() -> None:
    assert "data check '*.csv' --contract" in command("data", "infer", "*.csv").err


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ("expect: [" + "{column: id, unique: true}, " * 2001 + "]", "`expect` has too many entries: 2,000 may be there"),
        (
            "source: {postgres: /etc/shop.address, table: orders}\nrepair: [quarantine_rows]",
            "`repair` takes rows out of a table of a server: name the directory for them, `quarantine:`",
        ),
    ],
)
def test_what_a_contract_may_not_say_reads_as_a_sentence(contract: str, said: str) -> None:
    Path("orders.yaml").write_text(contract)
    told = command("data", "check", *(["good.csv"] if "source" not in contract else []), "--contract", "orders.yaml")
    assert told.code == 78 and said in " ".join(told.err.split()), told.err
