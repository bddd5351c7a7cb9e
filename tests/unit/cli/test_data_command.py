"""`data check`: what it prints of real files, and how it ends."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command_line import WrittenState, command
from tests.support.datasets import open_to_others, write_csv
from zen_agents.datasets.finding import Profile, Report
from zen_agents.datasets.history import History
from zen_agents.datasets.plain import history_to_plain

CONTRACT = """\
columns: {id: integer}
expect:
  - {column: id, not_null: true, unique: true}
  - {column: amount, between: [0, 100], severity: warning}
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_others(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("orders.yaml").write_text(CONTRACT)
    write_csv(Path("good.csv"), ["id", "amount"], [(1, 5), (2, 7)])
    write_csv(Path("bad.csv"), ["id", "amount"], [(1, 5), (1, 700), (None, "x\x1b[31m")])


def test_what_holds_is_one_line_and_what_fails_is_shown_with_its_rows() -> None:
    good = command("data", "check", "good.csv", "--contract", "orders.yaml")
    assert good.code == 0 and good.out.count("\n") == 1
    assert good.out.startswith("orders  ok  ") and "good.csv: 2 rows, 7 checks" in good.out
    bad = command("data", "check", "bad.csv", "--contract", "orders.yaml")
    assert bad.code == 1
    for shown in ("unique.id       FAILED   error     2 of 3 rows", "between.amount  FAILED   warning   1 of 3 rows",
                  "ROW  id  amount\n2    1   700"):  # fmt: skip
        assert shown in bad.out
    assert "\x1b" not in bad.out


def test_a_program_gets_all_of_it_and_may_compare_with_it_the_next_time() -> None:
    Path("orders.yaml").write_text(CONTRACT + "  - row_count_change: {fall: 10%}\n")
    printed = command("data", "check", "good.csv", "--contract", "orders.yaml", "-o", "json")
    (report,) = printed.json()["items"]
    assert (report["dataset"], report["outcome"], report["rows"]) == ("orders", "passed", 2)
    Path("before.json").write_text(printed.out)
    write_csv(Path("good.csv"), ["id", "amount"], [(1, 5)])
    again = ("data", "check", "good.csv", "--contract", "orders.yaml", "--against", "before.json")
    assert command(*again).code == 1
    assert "since the last good run" in command(*again).out
    Path("before.json").write_text("{}")
    assert command(*again).code == 2


def test_one_look_is_told_in_every_form_and_compared_with_the_last_good_one(tmp_path: Path) -> None:
    Path("orders.yaml").write_text(CONTRACT + "  - {column: amount, drift: {quantiles: 0.1}}\n")
    Path("runs").mkdir()
    kept = ("--contract", "orders.yaml", "--history", "runs")
    assert command("data", "check", "good.csv", *kept).code == 0
    write_csv(Path("good.csv"), ["id", "amount"], [(1, 50), (1, 70)])
    told = command("data", "report", "good.csv", *kept, "--html", "a.html", "--junit", "a.xml", "-o", "json")
    assert told.code == 1
    (report,) = told.json()["items"]
    assert [run["outcome"] for run in report["history"]["runs"]] == ["passed"] and report["history"]["good"]["rows"] == 2
    failed = {each["check"] for each in report["findings"] if each["outcome"] == "failed"}
    assert failed == {"unique.id", "drift.amount"}
    assert "The last 2 runs" in Path("a.html").read_text() and 'failures="2"' in Path("a.xml").read_text()
    shown = command("data", "report", "good.csv", *kept)
    assert shown.out.count("since the last good run") == 1 and "earlier runs" in shown.out
    Path("runs/orders.json").write_text("[]")
    assert command("data", "report", "good.csv", *kept).code == 2
    assert command("data", "check", "good.csv", "--contract", "orders.yaml", "--history", "none").code == 2


def test_data_sets_of_the_configuration_are_compared_with_what_the_engine_remembers(tmp_path: Path) -> None:
    asked = [{"column": "id", "not_null": True}, {"row_count_change": {"fall": "10%"}}]
    listed = {"good": {"source": {"csv": str(tmp_path / "good.csv")}, "expect": asked}}
    Path("zen.yaml").write_text(json.dumps({"agents": {"data_validation": {"datasets": listed}}}))
    state = WrittenState(tmp_path / "state")
    good = Report("good", "", 1.0, 10, (), profile=Profile(10))
    state.store.save_check_memory("data_validation", "data.good", history_to_plain(History().after(good)))
    done = state("data", "report", "good", "-c", "zen.yaml")
    state.store.close()
    assert done.code == 1 and "-80.0% since the last good run" in done.out and "earlier runs" in done.out


def test_two_files_are_compared_by_the_key_of_the_contract_or_of_the_command() -> None:
    write_csv(Path("later.csv"), ["id", "amount", "more"], [(1, 5, "w"), (2, 9, "w"), (3, 4, "\x1b[31m")])
    same = command("data", "diff", "good.csv", "good.csv")
    assert same.code == 0 and same.out.startswith("same: ")
    shown = command("data", "diff", "good.csv", "later.csv", "--key", "id")
    assert shown.code == 1 and "1 added, 0 removed, 1 changed" in shown.out and "amount: 7 -> 9" in shown.out
    assert "columns only in the second: more" in shown.out and "\x1b" not in shown.out
    told = command(
        "data", "diff", "good.csv", "later.csv", "--contract", "orders.yaml", "--evidence", "0", "-o", "json"
    ).json()
    assert (told["key"], told["changed"], told["rows"], told["same"]) == (["id"], 1, [], False)
    untold = command("data", "diff", "good.csv", "later.csv", "--key", "idd")
    assert untold.code == 6 and "matched by 'idd'" in untold.err
    assert command("data", "diff", "good.csv").code == 2


def test_a_mistake_in_a_contract_is_told_with_its_place_and_what_was_meant() -> None:
    Path("orders.yaml").write_text("columns: {id: intger}\nexpect:\n  - {colum: id, not_null: true}\n")
    wrong = command("data", "check", "good.csv", "--contract", "orders.yaml")
    assert wrong.code == 78 and not wrong.out
    assert "orders.yaml:1:15" in wrong.err and "did you mean `integer`?" in wrong.err
    assert "orders.yaml:3:6" in wrong.err and "did you mean `column`?" in wrong.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("good.xyz", "--contract", "orders.yaml"), "cannot be told by its name"),
        ((".", "--contract", "orders.yaml"), "by a pattern in quotes: '*.csv'"),
        (("good.csv",), "zen-agents data infer good.csv proposes one"),
        (("a.csv", "b.csv", "--contract", "orders.yaml"), "one pattern in quotes"),
        (("good.csv", "--contract", "orders.yaml", "--evidence", "-1"), "from 0 to 1000"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(words: tuple[str, ...], said: str) -> None:
    done = command("data", "check", *words)
    assert done.code == 2 and said in done.err


def test_what_could_not_be_told_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "good.csv")
    told = command("data", "check", "link.csv", "--contract", "orders.yaml")
    assert told.code == 6 and "is a link" in told.out


def test_what_cannot_be_told_for_one_reason_is_one_line() -> None:
    Path("torn.csv.gz").write_bytes(gzip.compress(Path("good.csv").read_bytes())[:-9])
    told = command("data", "check", "torn.csv.gz", "--contract", "orders.yaml")
    assert told.code == 1 and "columns and 3 more  unknown" in told.out and told.out.count("could not be read") == 3
    assert command("data", "check", "torn.csv.gz", "--contract", "orders.yaml", "-o", "wide").out.count("\nunique.id ") == 1


@pytest.mark.parametrize(
    "said", ["{column: id, between: [5, 1]}", "{column: id, above: 5, below: 1}", "{column: id, length: [5, 1]}",
             "{row_count: {min: 5, max: 1}}"],
)  # fmt: skip
def test_bounds_with_nothing_between_them_are_a_mistake(said: str) -> None:
    Path("orders.yaml").write_text(f"expect:\n  - {said}\n")
    wrong = command("data", "check", "good.csv", "--contract", "orders.yaml")
    assert wrong.code == 78 and "orders.yaml:2:" in wrong.err and "the least, 5, is more than the most, 1" in wrong.err


@pytest.mark.parametrize(
    ("said", "what"),
    [("fresh_within: 2h", "is the age of files"), ("expect: [{partitions: {fall: 10%}}]", "is for files"),
     ("expect: [{column: id, drift: {quantiles: 0.1}}]", "knows no quantiles")],
)  # fmt: skip
def test_what_a_database_cannot_tell_is_a_mistake_in_its_contract(said: str, what: str) -> None:
    Path("orders.yaml").write_text(f"source: {{sqlite: /srv/shop.db, table: orders}}\n{said}\n")
    wrong = command("data", "check", "--contract", "orders.yaml")
    assert wrong.code == 78 and "orders.yaml:2:" in wrong.err and what in wrong.err, wrong.err


def test_the_help_for_a_mistake_in_a_contract_is_a_command_that_works() -> None:
    Path("orders.yaml").write_text("expect:\n  - {column: id, not_nul: true}\n")
    wrong = command("data", "check", "good.csv", "--contract", "orders.yaml")
    (typed,) = re.findall(r"help: zen-agents (explain config .*)", wrong.err)
    assert command(*typed.split()).code == 0


def test_a_contract_that_is_not_there_is_not_valid() -> None:
    assert command("data", "check", "good.csv", "--contract", "none.yaml").code == 78


def test_a_table_is_compared_with_a_file_and_what_would_be_repaired_in_it_is_shown_by_its_keys(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("create table orders (id integer primary key, amount text)")
        connection.executemany("insert into orders values (?, ?)", [(1, "5"), (2, " 8 ")])
        connection.commit()
    (tmp_path / "shop.db").chmod(0o666)
    orders = {"source": {"sqlite": str(tmp_path / "shop.db"), "table": "orders"}, "repair": ["trim"]}
    Path("zen.yaml").write_text(json.dumps({"agents": {"data_validation": {"datasets": {"orders": orders}}}}))
    differs = command("data", "diff", "good.csv", "orders", "--key", "id", "-c", "zen.yaml")
    assert differs.code == 1 and "0 added, 0 removed, 1 changed" in differs.out, differs
    shown = command("data", "repair", "orders", "--dry-run", "-c", "zen.yaml")
    assert shown.code == 0 and "of 2 rows: 1 changed" in shown.out and "id=2  amount  ' 8 '  8" in shown.out, shown
    (found,) = command("data", "repair", "orders", "--dry-run", "-c", "zen.yaml", "-o", "json").json()["items"]
    assert found["table"]["preview"][0]["keys"] == [["id", "2"]] and found["files"] == []


def test_data_sets_of_the_configuration_are_called_by_name(tmp_path: Path) -> None:
    listed = {
        name: {"source": {"csv": str(tmp_path / f"{name}.csv")}, "expect": [{"column": "id", "unique": True}]}
        for name in ("good", "bad", "gone")
    }
    Path("zen.yaml").write_text(json.dumps({"agents": {"data_validation": {"datasets": listed}}}))
    assert command("data", "check", "good", "-c", "zen.yaml").code == 0
    names = command("data", "check", "-c", "zen.yaml", "-o", "name")
    assert (names.code, names.out.split()) == (1, ["good", "bad", "gone"])
    gone = command("data", "check", "gone", "-c", "zen.yaml")
    assert (gone.code == 1 and "is not there" in gone.out) or "cannot be opened" in gone.out
    meant = command("data", "check", "god", "-c", "zen.yaml")
    assert meant.code == 2 and "did you mean `good`?" in meant.err
    Path("zen.yaml").write_text("agents: {system_health: {}}\n")
    assert "no data sets" in command("data", "check", "-c", "zen.yaml").err


def test_a_repair_in_place_is_the_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "state"))
    lines = ["agents:", "  data_validation:", "    datasets:"]
    lines += [
        f"      {name}: {{source: {{csv: {tmp_path}/good.csv}}, repair: [{how}]}}"
        for name, how in (("a", "trim"), ("b", ""))
    ]
    Path("config.yaml").write_text("\n".join(lines))
    by_engine = command("-c", "config.yaml", "data", "repair", "a", "--yes", "--reason", "x")
    assert by_engine.code == 3 and "zen-agents once --agent data_validation --yes" in by_engine.err
    assert "allows no repair" in command("-c", "config.yaml", "data", "repair", "b", "--yes").err
    assert "--dry-run shows" in command("data", "repair", "good.csv", "--contract", "orders.yaml").err
