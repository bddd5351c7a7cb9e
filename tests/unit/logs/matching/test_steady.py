"""Which patterns the engine that backtracks is not given."""

from __future__ import annotations

import pytest

from zen_agents.logs.matching.steady import is_quick, is_steady
from zen_agents.logs.matching.syntax import line_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(?:a*)*b",
        r"(?:\w+\s?)*x",
        "(x+x+)+y",
        "(.*a){20}",
        "(?:a?){50}a",
        "(a|ab|b)*c",
        r"(?:(?:\d+|\w+),?)+;",
        "(a?b?)*c",
    ],
)
def test_a_repetition_that_can_be_read_in_several_ways_is_not(pattern: str) -> None:
    assert not is_steady(line_pattern(pattern).tree)


@pytest.mark.parametrize(
    "pattern",
    [r"(?:\d+\.)+x", r"(?:[\w.-]+/)*x", r"(?:\w+\s)*x", "(?:foo|bar)+", r"(?:\d{1,3}\.){3}\d{1,3}", "(a|ab)*c", ".*foo.*bar",
     r"Failed password for (?:invalid user )?(?P<user>.*?) from (?P<address>[\da-f.:]+) port \d+"],
)  # fmt: skip
def test_one_that_can_be_read_in_one_way_is(pattern: str) -> None:
    assert is_steady(line_pattern(pattern).tree)


def test_a_large_pattern_is_looked_at_at_once() -> None:
    assert is_steady(line_pattern("(?:" + "|".join(f"{number:03}" for number in range(900)) + ")+x").tree) is False


@pytest.mark.parametrize(
    ("pattern", "quick"),
    [
        (r"for (?:invalid user )?(?P<user>\S+) from (?P<address>[\d.]+) port \d+", True),
        (r"user (?P<user>.+) from", False), (r"\w+\w+x", False), ("a?" * 20 + "b", False), (r"(?:a?b?)+c", False),
        (r"(?P<path>(?:/[\w.-]+)+) failed", True),
    ],
)  # fmt: skip
def test_only_what_goes_back_in_no_repetition_is_quick(pattern: str, quick: bool) -> None:
    assert is_quick(line_pattern(pattern).tree) is quick
