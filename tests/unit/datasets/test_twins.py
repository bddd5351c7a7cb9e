"""How many rows share a key is exact, however the keys lie: rising or not, close together or far apart, negative, gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from tests.support.datasets import by_name, contract, looked, write_csv
from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.questions import Unique
from zen_agents.datasets.source import SourceKind

_BLOCK = 1 << 16
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
KEYS: dict[str, Sequence[int | None]] = {
    "none": [],
    "only missing": [None, None],
    "rising": range(300),
    "rising, with missing ones": [1, None, 2, None, 3],
    "falling": range(300, 0, -1),
    "close, with twins": [*range(5000), 17, 4999, 17],
    "twins in one of several blocks": [*range(_BLOCK - 5, 3 * _BLOCK, 7), 2 * _BLOCK + 2, 2 * _BLOCK + 2],
    "at the ends of blocks": [-_BLOCK - 1, -_BLOCK, -1, 0, _BLOCK - 1, _BLOCK, -1, _BLOCK],
    "the same bit of two blocks": [5, 5 + _BLOCK, 5 - _BLOCK, 6],
    "far apart": [0, 1 << 40, 5, 1 << 40, None],
    "as far apart as can be": [_MOST, _LEAST, _MOST, 0],
    "at the upper end": [_MOST, _MOST - 3, _MOST, _MOST - 1],
    "all the same": [7] * 40,
}


@pytest.fixture(params=KEYS)
def keys(request: pytest.FixtureRequest) -> Sequence[int | None]:
    return KEYS[request.param]


def with_twin(keys: Sequence[object]) -> int:
    return sum(count for key, count in Counter(keys).items() if key is not None and count > 1)


def as_parquet(path: Path, rows: Sequence[Sequence[object]], held: str) -> Path:
    """Write columns k0, k1 and so on."""
    width = len(rows[0]) if rows else 1
    with duckdb.connect() as duck:
        duck.execute(f"create table t ({', '.join(f'k{each} {held}' for each in range(width))})")
        for start in range(0, len(rows), 5000):
            values = ", ".join(
                str(tuple(row)).replace("None", "null").replace(",)", ")") for row in rows[start : start + 5000]
            )
            duck.execute(f"insert into t values {values}")
        duck.execute(f"copy t to '{path}' (format parquet)")
    return path


def counted(path: Path, kind: SourceKind, *columns: str, held: ColumnType = ColumnType.INTEGER) -> tuple[int, int]:
    asked = contract(path, Unique(columns), columns=[Column(each, held) for each in columns], kind=kind)
    found = by_name(looked(asked, path.parent))[f"unique.{'+'.join(columns)}"]
    return found.count, len(found.evidence)


def test_of_whole_numbers_in_text(keys: Sequence[int | None], tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["k0", "beside"], [(key, 1) for key in keys])
    wanted = with_twin(keys)
    assert counted(path, SourceKind.CSV, "k0") == (wanted, min(10, wanted))


@pytest.mark.parametrize(("held", "read"), [("BIGINT", "integer"), ("DOUBLE", "integer"), ("VARCHAR", "text")])
def test_of_a_column_by_itself(keys: Sequence[int | None], held: str, read: str, tmp_path: Path) -> None:
    if held == "DOUBLE":  # which has no room for all digits of the largest
        keys = [None if key is None else int(float(key)) for key in keys]
    path = as_parquet(tmp_path / "a.parquet", [(key,) for key in keys], held)
    wanted = with_twin(keys)
    assert counted(path, SourceKind.PARQUET, "k0", held=ColumnType(read)) == (wanted, min(10, wanted))


def test_of_numbers_without_a_sign_up_to_the_last(tmp_path: Path) -> None:
    path = as_parquet(tmp_path / "a.parquet", [((1 << 64) - 1,), ((1 << 64) - 2,), ((1 << 64) - 1,)], "UBIGINT")
    assert counted(path, SourceKind.PARQUET, "k0") == (2, 2)


@pytest.mark.parametrize("rows", [
    [(1, 1), (1, 2), (2, 1)], [(1, 1), (1, 2), (1, 1)], [(1, None), (1, None), (0, 1)], [(2, 1), (1, 2), (2, 1), (3, 3)],
])  # fmt: skip
def test_of_keys_of_two_columns(rows: Sequence[tuple[int, int | None]], tmp_path: Path) -> None:
    wanted = with_twin([None if None in row else row for row in rows])
    path = as_parquet(tmp_path / "a.parquet", rows, "INTEGER")
    assert counted(path, SourceKind.PARQUET, "k0", "k1") == (wanted, wanted)


def test_a_key_that_two_checks_ask_for_is_counted_for_both(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["id"], [(1,), (2,), (1,)])
    asked = contract(path, Unique(("id",)), Unique(("id",)), columns=[Column("id", ColumnType.INTEGER)])
    assert [each.count for each in looked(asked, tmp_path).findings] == [2, 2]
