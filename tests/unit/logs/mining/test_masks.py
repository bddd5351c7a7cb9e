"""What is taken out of a line before lines are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.logs.mining.masks import Mask, Masks, shape


def masked(line: str, *own: Mask) -> str:
    return " ".join(Masks(own).words(shape(line.encode()).decode(), 100))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "Failed password for root from 192.0.2.7 port 40022 ssh2",
            "Failed password for root from <ip> port <num> ssh<num>",
        ),
        ("connected to 192.0.2.7:8080,", "connected to <ip>:<num>,"),
        ("version 1.2.3.4.5 of 2", "version <num> of <num>"),
        ("from 2001:db8:0:1::7 via 00:1a:2b:3c:4d:5e", "from <address> via <address>"),
        ("req 550e8400-e29b-41d4-a716-446655440000 done", "req <uuid> done"),
        ("at 0x7ffd3a and commit 9fceb02d0ae5", "at <hex> and commit <hex>"),
        ("blk_-562725280853087685 (uid=0)", "blk_<num> (uid=<num>)"),
        ("2026-01-02T03:04:05.678Z took -17 ms, 99.5%", "<num>T<num>Z took <num> ms, <num>%"),
        ("a face in a cafe, deadbeef", "a face in a cafe, deadbeef"),
        ("", ""),
    ],
)
def test_what_differs_is_replaced_by_what_it_is(line: str, expected: str) -> None:
    assert masked(line) == expected


def test_a_mask_of_ones_own_comes_first_and_may_reach_over_words() -> None:
    assert masked('user "A B 7" left 3', Mask("name", '"[^"]*"')) == "user <name> left <num>"


def test_what_comes_after_the_most_words_stays_one() -> None:
    assert Masks().words("a 0 c d", 2) == ["a", "<num>", "c d"]


@given(st.binary(max_size=80))
def test_a_shape_has_the_same_lines_and_no_two_digits_in_a_row(text: bytes) -> None:
    found = shape(text)
    assert found.count(b"\n") == text.count(b"\n") and shape(found) == found
    assert b"00" not in found and not set(found) & set(b"123456789")


@given(st.text("0af:-.x/()[]=_ ", max_size=60))
def test_lines_of_one_shape_are_masked_alike_and_nothing_is_left_of_their_numbers(line: str) -> None:
    assert "0" not in masked(line.replace("00", "0"))
