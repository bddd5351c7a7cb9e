"""What is taken as a pattern, and what is refused: with its place and the next step."""

from __future__ import annotations

import pytest

from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.matching.syntax import MOST_CHARS, line_pattern, line_patterns


@pytest.mark.parametrize(
    ("pattern", "position", "what"),
    [
        ("a(?=b)", 1, "looks around itself"),
        (r"x\(?!(?!y)", 5, "looks around itself"),
        ("[(?=](?<!a)b", 5, "looks around itself"),
        (r"(\w+)=\1", 6, "refers back to a group"),
        (r"(?P<a>x)(?P=a)", 8, "refers back to a group"),
        (r"(a)?b(?(1)c|d)", 5, "depends on a group"),
        (r"a\++b++", 5, "has a possessive repetition"),
        ("x(?>a|b)", 1, "has an atomic group"),
        ("ab(", 2, "is no pattern: missing ), unterminated subpattern"),
        ("a*", 0, "matches the empty line, and so every line"),
        ("^$", 0, "matches the empty line, and so every line"),
        (r"a\nb", 1, "asks for a line's end inside of a line"),
        ("a[^é]", 3, "excludes a letter outside ASCII"),
        ("a{2000}", 1, "repeats more than 1000 times"),
        ("((a{100}){100}){100}", 0, "is too large once its repetitions are written out"),
        ("ab^c", 2, "has ^ behind other text"),
        ("a$b", 1, "has $ before other text"),
        ("x" * (MOST_CHARS + 1), MOST_CHARS, f"is longer than {MOST_CHARS} characters"),
        ("(" * 3000 + ")" * 3000, MOST_CHARS, f"is longer than {MOST_CHARS} characters"),
        ("(" * 2000 + "a" + ")" * 2000, 0, "is nested or repeated too deeply"),
    ],
)
def test_what_cannot_be_matched_in_linear_time_is_refused_with_its_place(pattern: str, position: int, what: str) -> None:
    with pytest.raises(PatternRefusedError) as refused:
        line_pattern(pattern)
    assert (refused.value.what, refused.value.position) == (what, position)
    assert refused.value.next_step or "longer" in what


def test_the_first_of_many_that_is_refused_is_named() -> None:
    with pytest.raises(PatternRefusedError) as refused:
        line_patterns(["a", "b", "c(?!d)", "("])
    assert refused.value.index == 2


def test_a_pattern_is_written_so_that_no_engine_can_read_it_otherwise() -> None:
    pattern = line_pattern(r"(?i)é\s+(?P<user>\w{2,}?)$")
    assert pattern.search == r"(?:\xc3\xa9|\xc3\x89)[\x09\x0b-\x0d\x20]+(?:[0-9A-Z\x5fa-z]{2,})$"
    assert pattern.capture == r"(?:\xc3\xa9|\xc3\x89)[\x09\x0b-\x0d\x20]+([0-9A-Z\x5fa-z]{2,}?)$"
    assert pattern.groups == ("user",)


def test_what_the_ends_of_a_pattern_may_repeat_is_not_searched_for() -> None:
    assert line_pattern(r".*(?:b|c)?fail(?:ed)?\d+.*").search == "fail(?:ed)?[0-9]"


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (r"sshd\[\d+\]: Failed password for (?P<user>\S+) from", b"]: Failed password for "),
        (r"a|b", b""), ("(?i)abc", b""), (r"(?P<all>(?:ab)c)d*", b"abc"), ("x?yé", "yé".encode()),
    ],
)  # fmt: skip
def test_the_longest_bytes_that_every_match_has_are_known(pattern: str, literal: bytes) -> None:
    assert line_pattern(pattern).literal == literal
