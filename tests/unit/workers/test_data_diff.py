"""What differs between two files: the same as a look at every row by itself says, whatever they are written in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.datasets import contract, write_csv
from zen_agents.datasets.contract import Column, ColumnType, Contract
from zen_agents.datasets.difference import Difference, RowChange
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.source import SourceKind
from zen_agents.jobs.data_diff import DataDiffRequest
from zen_agents.workers.data_diff import answer, difference
from zen_agents.workers.data_files import DataFiles

_CELL = st.sampled_from([None, "a", "b", "x'y", '"', "1", "ö"])
_ROWS = st.lists(st.tuples(st.integers(0, 5).map(str), _CELL, _CELL), max_size=12)


def compared(before: Contract, after: Contract, folder: Path, *key: str) -> Difference:
    spill = folder / "spill"
    spill.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=spill) as own:
        return difference(
            (before, after), [DataFiles(each.source) for each in (before, after)], key, Path(own), lambda _: None
        )


@settings(max_examples=15, deadline=None)
@given(_ROWS, _ROWS)
def test_rows_by_a_key_and_as_a_whole(before: Sequence[Sequence[object]], after: Sequence[Sequence[object]]) -> None:
    with TemporaryDirectory() as made:
        folder = Path(made).resolve()
        a = contract(write_csv(folder / "a.csv", ["id", "p", 'q"'], before))
        b = contract(write_csv(folder / "b.csv", ["id", "p", 'q"'], after))
        whole, keyed = compared(a, b, folder), compared(a, b, folder, "id")
    was, now = Counter(map(tuple, before)), Counter(map(tuple, after))
    assert (whole.added, whole.removed, whole.changed) == ((now - was).total(), (was - now).total(), 0)
    keys, new = Counter(row[0] for row in before), Counter(row[0] for row in after)
    assert (keyed.added, keyed.removed) == ((new - keys).total(), (keys - new).total())
    assert whole.is_same == (was == now) and (keyed.is_same or was != now)
    assert (whole.rows_before, whole.rows_after) == (len(before), len(after))


def test_the_same_values_in_another_format_are_the_same(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["id", "amount", "on"], [(1, "10.50", "2026-01-02"), (2, "n/a", "2026-01-03")])
    rows = [{"id": "2", "amount": "n/a", "on": "2026-01-03"}, {"id": 1, "amount": 10.5, "on": "2026-01-02"}]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    columns = [Column("id", ColumnType.INTEGER), Column("amount", ColumnType.DECIMAL), Column("on", ColumnType.DATE)]
    a = contract(tmp_path / "a.csv", columns=columns)
    b = contract(tmp_path / "b.jsonl", columns=columns, kind=SourceKind.JSONL)
    assert compared(a, b, tmp_path, "id").is_same
    duckdb.sql(f"COPY (SELECT 1 AS id, 10.5::DECIMAL(9, 3) AS amount, DATE '2026-01-02' AS on, 7 AS more) TO "
               f"'{tmp_path}/c.parquet'")  # fmt: skip
    c = contract(tmp_path / "c.parquet", kind=SourceKind.PARQUET)
    found = compared(contract(tmp_path / "a.csv"), c, tmp_path, "id")
    assert (found.added, found.removed, found.changed, found.added_columns) == (0, 1, 0, ("more",))
    assert [(row.change, row.keys[0].text) for row in found.rows] == [(RowChange.REMOVED, "2")]


def test_what_changed_is_shown_and_how_far_it_moved_is_exact(tmp_path: Path) -> None:
    a = write_csv(tmp_path / "a.csv", ["id", "n", "s"], [(at, at, "x") for at in range(100)])
    b = write_csv(tmp_path / "b.csv", ["id", "n", "s"], [(at, at + 25, "x" if at < 75 else "y") for at in range(100)])
    columns = [Column("n", ColumnType.INTEGER)]
    found = compared(contract(a, columns=columns), contract(b, columns=columns), tmp_path, "id")
    assert (found.changed, {each.column: each.rows for each in found.columns}) == (100, {"n": 100, "s": 25})
    first = found.rows[0]
    assert (first.keys[0].text, first.before[0].text, first.after[0].text, len(found.rows)) == ("0", "0", "25", 10)
    moved = {each.column: each for each in found.moved}
    assert moved["n"].ks == pytest.approx(0.25) and moved["s"].shares == pytest.approx(0.25)
    assert moved["n"].psi > 0.25 and moved["s"].ks is None


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    a = contract(write_csv(tmp_path / "a.csv", ["a"], [(1,)]))

    def why(before: Contract, after: Contract, *key: str) -> str:
        plain = [contract_to_plain(each) for each in (before, after)]
        request = DataDiffRequest(before=plain[0], after=plain[1], key=key, spill=str(tmp_path))
        return answer(request, lambda _: None).unable

    gone = contract(tmp_path / "gone.csv")
    assert "no file matches" in why(a, gone) or "cannot be opened" in why(a, gone)
    assert "x.db cannot be opened" in why(a, contract(tmp_path / "x.db", kind=SourceKind.SQLITE))
