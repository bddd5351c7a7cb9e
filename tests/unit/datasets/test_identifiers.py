"""Whatever a column is called, its name stays one name."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.datasets.identifiers import identifier, qualified

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(NAMES)
def test_a_name_is_read_back_as_it_was(name: str) -> None:
    with duckdb.connect() as duck:
        assert [column[0] for column in duck.execute(f"select 1 as {identifier(name)}").description] == [name]
    with sqlite3.connect(":memory:") as lite:
        assert lite.execute(f"select 1 as {identifier(name)}").description[0][0] == name


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name is empty"):
        identifier(name)


def test_a_table_of_a_schema() -> None:
    assert qualified('sales.or"ders') == '"sales"."or""ders"'
