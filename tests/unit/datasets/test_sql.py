"""Values stay apart from the text, whatever they are."""

from __future__ import annotations

import pytest

from zen_agents.datasets.sql import joined, listed, name, sql, value


def test_values_stand_in_the_order_of_their_marks() -> None:
    made = sql("select {} from t where {}", name('a"?%'), sql("{} in ({})", name("b"), listed([value(1), value("'; --")])))
    assert made.text() == 'select "a""?%" from t where "b" in (?, ?)'
    assert made.text("%s") == 'select "a""?%%" from t where "b" in (%s, %s)'
    assert made.values == [1, "'; --"]


def test_pieces_are_joined() -> None:
    assert (joined(" and ", [name("a"), value(2)]) + sql(" or true")).text() == '"a" and ? or true'


def test_a_template_has_a_place_for_each_piece() -> None:
    with pytest.raises(ValueError, match="another number of places"):
        sql("{} {}", name("a"))
