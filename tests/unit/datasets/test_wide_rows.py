"""Rows that are compared by a few columns after the other: as many repeat another as by all columns at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from zen_agents.datasets.contract import ColumnType, Limits
from zen_agents.datasets.sql import name, sql
from zen_agents.datasets.table import Table
from zen_agents.datasets.wide_rows import groups_of, repeated

pytest.importorskip("duckdb")

from zen_agents.workers.duck import Duck

#: Values that are told apart only with care: by where one ends, by what is missing, by how zero is written.
_VALUES = {
    "VARCHAR": ["NULL", "''", "'a'", "'ab'", "'b'", "':'", "'1:a'", "'1:'"],
    "DOUBLE": ["NULL", "0.0", "-0.0", "1.5", "'nan'", "'inf'"],
    "INTEGER": ["NULL", "1", "11", "111"],
    "DATE": ["NULL", "'2026-01-31'", "'2026-02-01'"],
    "INTEGER[]": ["NULL", "[1, 11]", "[11, 1]", "[]"],
}


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Duck]:
    with closing(Duck(Limits(), tmp_path, ())) as duck:
        yield duck


@pytest.mark.parametrize("seed", range(40))
def test_as_many_rows_repeat_another_as_by_all_columns_at_once(duck: Duck, seed: int) -> None:
    chance = random.Random(seed)
    kinds = [chance.choice([*_VALUES]) for _ in range(chance.randint(2, 6))]
    rows = [
        ", ".join(
            f"CAST({chance.choice(_VALUES[kind][: 2 + seed % 7])} AS {kind}) AS c{at}" for at, kind in enumerate(kinds)
        )
        for _ in range(chance.randint(1, 60))
    ]
    duck.keep("given", sql(" UNION ALL ".join(f"SELECT {row}" for row in rows)))
    columns = {str(each[0]): duck.dialect.family(str(each[1])) for each in duck.rows(sql("DESCRIBE given"))}
    table = Table(name("given"), columns)
    groups = (
        [[each] for each in columns] if seed % 2 else [[*columns][:2], [*columns][2:]] if len(columns) > 2 else [[*columns]]
    )
    told: list[int] = []
    ((distinct,),) = duck.rows(sql("SELECT count(*) FROM (SELECT DISTINCT * FROM given)"))
    measured = repeated(table, groups, duck, told.append)
    assert (measured.failed, measured.total) == (len(rows) - distinct, len(rows))
    assert told == [*range(len(groups))]
    assert [row[0] for row in duck.rows(sql("SHOW TABLES"))] == ["given"]


def test_as_many_columns_are_taken_at_a_time_as_there_is_memory_for() -> None:
    table = Table(name("given"), dict.fromkeys(map(str, range(10_000)), ColumnType.TEXT))
    sizes = [len(each) for each in groups_of(table, Limits())]
    assert sum(sizes) == 10_000 and max(sizes) < 1000
    assert len(groups_of(table, Limits(memory_bytes=16 << 30))) == 1
