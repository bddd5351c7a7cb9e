"""Conditions that people write: what they mean, and that nothing else can be said in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.datasets import by_name, contract, looked, write_csv
from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.expression import ExpressionError, condition
from zen_agents.datasets.questions import Holds

COLUMNS = [Column("a", ColumnType.INTEGER), Column("b", ColumnType.NUMBER), Column("day", ColumnType.DATE), Column("s")]
ROWS = [(1, 2.5, "2026-01-01", "x"), (2, 1.5, "2026-02-01", "it's"), (3, None, None, None)]


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("a > 1", 1),
        ("a <> 2 and not a = 3", 2),
        ("a != 1 or s = 'x'", 0),
        ("a between 1 and 2", 1),
        ("a not in (1, 2)", 2),
        ("b is not null and s is not null", 1),
        ("a * 2 - 1 >= 3", 1),
        ("-a < 0", 0),
        ("day >= date '2026-01-15'", 1),
        ("s like 'i%' or s = 'x'", 0),
        ("s <> 'it''s'", 1),
        ("length(s) = 1", 1),
        ("upper(s) || '!' = 'X!'", 1),
        ("coalesce(b, 9) > 2", 1),
        ("case when a = 3 then b is null else b > 1 end", 0),
        ('"a" > 0 AND "weird ""one""" is null', 0),
        ("(((a)) > 0)", 0),
        ("s not like '%.com' and s <> '1.5'", 0),
        ("a < 99999999999999999999 and b > 1.25", 0),
    ],
)
def test_what_it_means(tmp_path: Path, text: str, fails: int) -> None:
    path = write_csv(tmp_path / "a.csv", ["a", "b", "day", "s", 'weird "one"'], [(*row, None) for row in ROWS])
    found = by_name(looked(contract(path, Holds(text), columns=COLUMNS), tmp_path))["holds"]
    assert (found.count, found.total) == (fails, 3), found.reason
    assert [row.number for row in found.evidence] == sorted(row.number or 0 for row in found.evidence)


@pytest.mark.parametrize(
    ("text", "offset", "why"),
    [
        ("", 0, "ends where"),
        ("a >", 3, "ends where"),
        ("a > 1; drop table t", 5, "';' means nothing"),
        ("a > 1 -- all of it", 6, "'--' where"),
        ("a /* */ > 1", 3, "'*' where"),
        ("a in (select 1)", 13, "'1' where"),
        ("exists (select 1)", 0, "may not call exists"),
        ("read_text('/etc/shadow') = ''", 0, "may not call read_text"),
        ("pg_sleep(9) is null", 0, "may not call pg_sleep"),
        ("a = $1", 4, "means nothing"),
        ("a = ?", 4, "means nothing"),
        ("a::text = ''", 1, "means nothing"),
        ("x.y = 1", 1, "means nothing"),
        ("'open", 0, "means nothing"),
        ("(a = 1", 6, "ends where \\)"),
        ("a = 1)", 5, "the end is wanted"),
        ("a not 3", 6, "BETWEEN"),
        ("and", 0, "column or a value"),
        ("(" * 60 + "a" + ")" * 60, 50, "levels of parentheses"),
        ("a = 1 or " * 500 + "a = 1", 0, "longer than"),
    ],
)
def test_nothing_else_is_understood_and_it_is_said_where(text: str, offset: int, why: str) -> None:
    with pytest.raises(ExpressionError, match=why) as refused:
        condition(text)
    assert refused.value.offset == offset


def test_it_tells_the_columns_that_it_names() -> None:
    assert condition('a + b > c and "d e" is null and a < 3 and date > 1').columns == ("a", "b", "c", "d e", "date")


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        condition(text)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(text)
