"""What stands in a cell is seen as what it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.datasets.cells import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ACME", "ACME"), ("it is", "it is"), (None, None), ("", "''"), ("ACME ", "'ACME '"), ("\t=1", r"'\t=1'"),
        ("a\r\nb", r"'a\r\nb'"), ("\x1b[2J", r"'\x1b[2J'"), ("\u202egnp.exe", r"'\u202egnp.exe'"),
        ("1\xa0000", r"'1\xa0000'"), ("caf\u00e9", "caf\u00e9"), ("cafe\u0301", r"'cafe\u0301'"),
        ("\u0e17\u0e35\u0e48", "\u0e17\u0e35\u0e48"),
    ],
)  # fmt: skip
def test_what_would_not_be_seen_is_written_as_an_escape(text: str | None, shown: str | None) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_that_moves_a_cursor_or_turns_a_line_is_left(text: str) -> None:
    assert (visible(text) or "").isprintable()
