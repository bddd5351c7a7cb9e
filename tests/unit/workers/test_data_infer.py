"""A proposed contract: what it says of a file, and that the file itself passes it, whatever is in it."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.command_line import command
from tests.support.datasets import contract, looked, open_to_others, write_csv
from tests.support.postgres_here import Server, needs_postgres
from tests.support.tables import PostgresShop
from zen_agents.datasets.finding import Outcome
from zen_agents.datasets.source import SourceKind
from zen_agents.settings.contract_files import read_contract
from zen_agents.workers.data_files import DataFiles
from zen_agents.workers.data_infer import proposed

ROWS = [
    (
        number, f"C{number:04}", f"a{number}@b.example", ("new", "paid")[number % 2], number / 4,
        f"2026-01-{number % 28 + 1:02}", f"{number % 12 + 1:02}/{number % 12 + 1:02}/2026", "true",
        f"00{number}", None,
    )
    for number in range(200)
]  # fmt: skip
NAMES = ["id", "code", "mail", "status", "amount", "on", "us", "open", "zip", "none"]


def _text(path: Path, kind: SourceKind, rows: int = 0) -> str:
    spill = path.parent / "infer"
    spill.mkdir()
    source = contract(path, kind=kind)
    return proposed(source, DataFiles(source.source), spill, rows).text


def _holds(path: Path, text: str, kind: SourceKind, *expected: Outcome) -> None:
    written = path.parent / "proposed.yaml"
    written.write_text(text, encoding="utf-8")
    read, diagnostics = read_contract(str(written), (kind, str(path)))
    assert read is not None, (diagnostics, text)
    report = looked(read, path.parent)
    bad = [each for each in report.findings if each.outcome is not Outcome.PASSED]
    assert report.outcome in (expected or (Outcome.PASSED,)), (text, bad)


def test_what_a_file_seems_to_be_is_said_and_what_is_a_guess(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", NAMES, ROWS)
    text = _text(path, SourceKind.CSV)
    for line in (
        "  id: integer", '  "on": date', "  us: {type: date, format: \"%m/%d/%Y\"}", '  open: boolean', "  zip: text",
        "  none: any  # unsure: no value was seen",
        "  - {column: id, not_null: true, unique: true, between: [0, 199]}  # unsure: between is what was seen",
        '  - {column: code, not_null: true, unique: true, matches: "[A-Z][0-9]{4}"}  # unsure: matches is the shape that'
        " all had",
        r'  - {column: mail, not_null: true, unique: true, matches: "[^@\\s]+@[^@\\s]+\\.[^@\\s]+"}',
        "  - {column: status, not_null: true, one_of: [new, paid]}",
        "  - {column: us, not_null: true}  # unsure: day and month may be the other way round",
    ):  # fmt: skip
        assert f"{line}\n" in text, text
    _holds(path, text, SourceKind.CSV)


def test_what_most_values_are_is_proposed_and_how_many_are_not(tmp_path: Path) -> None:
    cells = [
        (
            "n/a" if number % 50 == 0 else f"{number}.50", "31.12.2025" if number % 90 == 7 else "2026-01-31",
            "nope" if number == 130 else f"u{number}@example.com", 'x"\n' if number % 4 == 0 else number,
            f"{number:03}" if number % 10 else "01.02.2026",
        )
        for number in range(1, 201)
    ]  # fmt: skip
    path = write_csv(tmp_path / "a.csv", ["amount", "day", "mail", "mixed", "zip"], cells)
    text = _text(path, SourceKind.CSV)
    for line in (
        "  amount: number", "  day: date", "  mixed: text", "  zip: text",
        '  - {column: amount, type: number, tolerate: 2%}  # unsure: 4 of 200 values are no number: "n/a", ...',
        "  - {column: amount, not_null: true, between: [1.5, 199.5]}  # unsure: between is what was seen",
        '  - {column: day, type: date, tolerate: 1.5%}  # unsure: 3 of 200 values are no date: "31.12.2025", ...',
        r'  - {column: mail, matches: "[^@\\s]+@[^@\\s]+\\.[^@\\s]+", tolerate: 0.5%}  # unsure: 1 of 200 values do not'
        ' match: "nope"',
    ):  # fmt: skip
        assert f"{line}\n" in text, text
    _holds(path, text, SourceKind.CSV, Outcome.TOLERATED)


def test_a_key_of_which_few_rows_repeat_one_is_proposed_as_such(tmp_path: Path) -> None:
    rows = [(7 if number == 8 else number, number % 50, f"k{number // 2}") for number in range(400)]
    path = write_csv(tmp_path / "a.csv", ["id", "often", "twice"], rows)
    text = _text(path, SourceKind.CSV)
    line = '  - {column: id, unique: true, tolerate: 0.5%}  # unsure: 2 of 400 values stand there more than once: "7", ...'
    assert f"{line}\n" in text and text.count("unique") == 1
    _holds(path, text, SourceKind.CSV, Outcome.TOLERATED)


def test_a_value_that_is_shown_stays_in_its_remark(tmp_path: Path) -> None:
    odd = 'x"\n  - {row_count: {max: 0}}\u2028#'
    path = write_csv(tmp_path / "a.csv", ["n"], [(odd,), *((number,) for number in range(20))])
    text = _text(path, SourceKind.CSV)
    assert r'"x\"\x0a  - {row_count: {max: 0}}\u2028#"' in text
    _holds(path, text, SourceKind.CSV, Outcome.TOLERATED)


def test_very_many_columns_are_looked_at_some_at_a_time(tmp_path: Path) -> None:
    names = ["value_", "name_", "none", *(f"c{number}" for number in range(600))]
    path = write_csv(tmp_path / "a.csv", names, [(1, "x", None, *range(600)), (2, "n", None, *range(600))])
    text = _text(path, SourceKind.CSV)
    for line in ("  value_: integer", "  name_: text", "  none: any  # unsure: no value was seen", "  c599: integer"):
        assert f"{line}\n" in text
    _holds(path, text, SourceKind.CSV)


CELLS = st.one_of(
    st.none(), st.integers(-(10**20), 10**20), st.floats(), st.dates(), st.booleans(), st.uuids(), st.datetimes(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=8),
    st.sampled_from(["007", "1_0", "1e5", "null", "yes", "a@b.c", "31.12.2026", '"', "nan", "Infinity", " 1 "]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.integers(1, 3).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=15)),
    odd=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=6),
)
@example(rows=[(0,)], odd="[:")
@example(rows=[(0,)], odd=";")
@example(rows=[*((number,) for number in range(9)), ("x",)], odd="n")
def test_every_sample_passes_what_was_proposed_for_it(rows: list[tuple[object, ...]], odd: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        names = [f"{odd}{number}" for number in range(len(rows[0]))]
        path = write_csv(Path(made) / "a.csv", names, [tuple("" if cell is None else cell for cell in row) for row in rows])
        _holds(path, _text(path, SourceKind.CSV), SourceKind.CSV, Outcome.PASSED, Outcome.TOLERATED)


def test_the_command_writes_a_contract_that_the_next_command_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_others(tmp_path)
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "a.csv", NAMES, ROWS)
    told = command("data", "infer", "a.csv", "--rows", "50")
    assert told.code == 0 and "its first; nothing is known of the others" in told.out and "--rows 0" in told.err
    Path("a.yaml").write_text(command("data", "infer", "a.csv").out)
    assert command("data", "check", "a.csv", "--contract", "a.yaml").code == 0
    assert command("data", "infer", "a.csv", "a.yaml").code == 2
    assert command("data", "infer", "none.csv").code not in (0, 2)
    Path("nothing.csv").touch()
    assert "there is nothing to propose from" in command("data", "infer", "nothing.csv").err


@needs_postgres
def test_a_table_that_the_configuration_names_is_looked_at_where_it_is(server: Server, tmp_path: Path) -> None:
    open_to_others(tmp_path)
    address = tmp_path / "address"
    address.write_text(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres\n")
    address.chmod(0o600)
    PostgresShop(server, address).run(
        "drop table if exists orders",
        "create table orders (id bigint, price numeric(9, 2), day date, note text, b bytea)",
        "insert into orders select i, i / 4.0, date '2026-01-01' + i, chr(65 + i % 3), null from generate_series(1, 200) i",
    )
    _proposed_and_held(tmp_path, f"postgres: {address}, table: orders")


def test_so_is_one_of_sqlite_and_a_query(tmp_path: Path) -> None:
    open_to_others(tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("create table orders (id integer, price real, day text, note text)")
        rows = ((each, each / 4, f"2026-01-{each % 28 + 1:02}", "ABC"[each % 3]) for each in range(1, 201))
        database.executemany("insert into orders values (?, ?, ?, ?)", rows)
        database.commit()
    _proposed_and_held(tmp_path, f"sqlite: {tmp_path}/shop.db, table: orders")
    _proposed_and_held(tmp_path, f'sqlite: {tmp_path}/shop.db, query: "SELECT * FROM orders"')


def _proposed_and_held(folder: Path, source: str) -> None:
    config = folder / "config.yaml"
    begun = f"agents: {{data_validation: {{datasets: {{orders: {{source: {{{source}}}"
    config.write_text(begun + "}}}}\n", encoding="utf-8")
    config.chmod(0o600)
    done = command("-c", str(config), "data", "infer", "orders")
    assert done.code == 0, done.err
    for line in (
        "  id: integer", "  price: number", "  day: date",
        "  - {column: id, not_null: true, unique: true, between: [1, 200]}  # unsure: between is what was seen",
        "  - {column: note, not_null: true, one_of: [A, B, C]}",
    ):  # fmt: skip
        assert f"{line}\n" in done.out, done.out
    contract = "\n".join(line for line in done.out.splitlines() if not line.startswith("#"))
    (folder / "orders.yaml").write_text(f"source: {{{source}}}\n{contract}\n", encoding="utf-8")
    checked = command("data", "check", "--contract", str(folder / "orders.yaml"))
    assert checked.code == 0, checked.out + checked.err
