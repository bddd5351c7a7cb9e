"""Records of a text are told apart the same, in whatever pieces it comes."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.datasets.records import Records, body_and_end
from zen_agents.datasets.source import SourceOptions
from zen_agents.datasets.written import FaultError

CSV = SourceOptions(delimiter=",", quote='"', escape='"')


def records(text: bytes, size: int, options: SourceOptions | None = CSV) -> list[bytes]:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return [record for batch in Records(options).batches(pieces) for record in batch]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_quotes_join_lines_and_quotes_within_a_value_do_not(size: int) -> None:
    text = b'id,v\r\n1,"a\nb"\n2,5" x\n3,"c""d\n"\r\n4, "x" \n\n5,e\r6,f'
    assert records(text, size) == [
        b"id,v\r\n", b'1,"a\nb"\n', b'2,5" x\n', b'3,"c""d\n"\r\n', b'4, "x" \n', b"\n", b"5,e\r", b"6,f",
    ]  # fmt: skip


def test_an_escape_of_its_own_and_lines_without_quotes() -> None:
    escaped = SourceOptions(delimiter=";", quote="'", escape="\\")
    assert records(b"1;'a\\'\nb'\n2;c\n", 5, escaped) == [b"1;'a\\'\nb'\n", b"2;c\n"]
    assert records(b'{"a": "\n"}\n', 4, None) == [b'{"a": "\n', b'"}\n']


def test_a_quote_that_does_not_end_is_told() -> None:
    with pytest.raises(FaultError, match="behind line 2 is longer than 10 bytes, or a quote"):
        list(Records(CSV, most_bytes=10).batches([b"a\nb\n", b'1,"', b"x\n" * 10]))


_CELL = st.text(st.sampled_from('a ,"\n\r;\u00e9'), max_size=5)


@given(st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=8), st.integers(1, 9))
def test_what_is_well_quoted_is_read_as_it_was_written(rows: list[tuple[str, str]], size: int) -> None:
    text = "".join('"' + '","'.join(cell.replace('"', '""') for cell in row) + '"\n' for row in rows).encode()
    found = [body_and_end(record)[0].decode() for record in records(text, size)]
    assert [tuple(next(csv.reader([record]))) for record in found] == rows
