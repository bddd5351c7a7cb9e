"""What a monitoring plugin says, by the contract of Nagios' plugins."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zen_agents.model.plugin import plugin_answer


@pytest.mark.parametrize(
    ("status", "output", "level", "text", "values"),
    [
        (0, "DISK OK - free: / 3326 MB (56%);| /=2643MB;5948;5958;0;5968\n", 0, "DISK OK - free: / 3326 MB (56%);",
         {"/": 2643.0}),
        (1, "LOAD WARNING|load1=5.1;5;10;0; load5=1e-2;;;;", 1, "LOAD WARNING", {"load1": 5.1, "load5": 0.01}),
        (2, "two lines | a=1s\nmore text\neven more | b=2c 'free space'=3% 'it''s'=-4;~:;;", 2, "two lines",
         {"a": 1.0, "b": 2.0, "free space": 3.0, "it's": -4.0}),
        (3, "no idea", 3, "no idea", {}),
        (4, "odd", 3, "odd", {}),
        (-9, "", 3, "it ended with -9", {}),
        (127, "", 3, "it ended with 127", {}),
        (0, "", 0, "it said nothing", {}),
        (0, "fine | x=U y=1.2.3 z= =5 w=7", 0, "fine", {"w": 7.0}),
        (0, "a\x1b[31mred\x07 text", 0, "a [31mred  text", {}),
    ],
)  # fmt: skip
def test_status_text_and_numbers_are_told_apart(
    status: int, output: str, level: int, text: str, values: dict[str, float]
) -> None:
    assert plugin_answer(status, output) == (level, text, values)


@given(status=st.integers(-300, 300), output=st.text(max_size=300))
def test_whatever_it_says_is_an_answer_of_plain_text_and_finite_numbers(status: int, output: str) -> None:
    answer = plugin_answer(status, output)
    assert answer.level in range(4)
    assert answer.level == status or answer.level == 3
    assert answer.text.isprintable()
    assert 0 < len(answer.text) <= 200
    assert all(map(math.isfinite, answer.values.values()))


@given(values=st.dictionaries(st.from_regex(r"[a-z_ ']{1,8}", fullmatch=True), st.integers(-(10**9), 10**9), max_size=5))
def test_every_label_that_can_be_written_is_read_back(values: dict[str, int]) -> None:
    data = " ".join(f"'{label.replace(chr(39), chr(39) * 2)}'={value}ms;1;2" for label, value in values.items())
    assert plugin_answer(0, f"fine|{data}").values == {label: float(value) for label, value in values.items()}
