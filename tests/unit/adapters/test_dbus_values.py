"""What is written as D-Bus values is read as the same, whatever is beside it."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.adapters.dbus_values import ValueReader, encode_values

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
SIMPLE: tuple[tuple[str, st.SearchStrategy[Any]], ...] = (
    ("y", st.integers(0, 255)), ("b", st.booleans()), ("i", st.integers(-(2**31), 2**31 - 1)),
    ("u", st.integers(0, 2**32 - 1)), ("t", st.integers(0, 2**64 - 1)), ("s", TEXTS), ("o", st.just("/a/b")),
)  # fmt: skip


def kinds() -> st.SearchStrategy[tuple[str, st.SearchStrategy[Any]]]:
    """Return signatures of one value each, and what such values are."""
    return st.recursive(
        st.sampled_from(SIMPLE),
        lambda inner: st.one_of(
            # An array of bytes is read as bytes.
            inner.filter(lambda kind: kind[0] != "y").map(lambda kind: (f"a{kind[0]}", st.lists(kind[1], max_size=3))),
            st.lists(inner, min_size=1, max_size=3).map(
                lambda each: ("(" + "".join(kind for kind, _ in each) + ")", st.tuples(*(value for _, value in each)))
            ),
        ),
        max_leaves=6,
    )


@given(st.data())
def test_what_is_written_is_read(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(kinds(), min_size=1, max_size=4))
    signature = "".join(kind for kind, _ in drawn)
    values = tuple(data.draw(value) for _, value in drawn)
    assert ValueReader(encode_values(signature, values), "<", 0).value(f"({signature})") == values


def test_a_call_with_properties_is_as_the_specification_writes_it() -> None:
    body = encode_values("sa(sv)", ("x.service", [("Limit", ("t", 7)), ("Type", ("s", "exec"))]))
    head = struct.pack("<I", 9) + b"x.service\0" + b"\0\0"
    limit = struct.pack("<I", 5) + b"Limit\0" + b"\1t\0" + b"\0\0\0" + struct.pack("<Q", 7)
    kind = struct.pack("<I", 4) + b"Type\0" + b"\1s\0" + struct.pack("<I", 4) + b"exec\0"
    assert body == head + struct.pack("<I", len(limit) + len(kind)) + b"\0\0\0\0" + limit + kind


@pytest.mark.parametrize("values", [("a",), ("a", "b", "c")])
def test_values_that_the_signature_does_not_name_are_an_error(values: tuple[str, ...]) -> None:
    with pytest.raises((ValueError, IndexError)):
        encode_values("ss", values)
