"""In a line of JSON only the members that are repaired become others."""

from __future__ import annotations

import pytest

from zen_agents.datasets.json_members import with_members
from zen_agents.datasets.repairs import UnrepairableError

LINE = '{"a": 1.10,  "\\u0062": " x ", "deep": {"b": [1e3, "}"]}, "z":0.1000000000000000055 }'


def test_every_other_member_keeps_its_place_and_its_very_text() -> None:
    assert with_members(LINE, '{"b":"x"}') == LINE.replace('" x "', '"x"')
    assert with_members(LINE, '{"deep":null,"a":2}') == LINE.replace("1.10", "2").replace('{"b": [1e3, "}"]}', "null")
    assert with_members(LINE, "{}") == LINE


@pytest.mark.parametrize(
    ("line", "is_to_be"),
    [
        ("{}", '{"n": 1}'), (' { "a" : 2 } ', ' { "a" : 2, "n": 1 } '),
        (f'{{"a":{"9" * 5000}}}', f'{{"a":{"9" * 5000}, "n": 1}}'),
    ],
)  # fmt: skip
def test_what_is_not_there_stands_at_the_end(line: str, is_to_be: str) -> None:
    assert with_members(line, '{"n":1}') == is_to_be


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"n": " a ", "m": 1, "n": " b "}', 'has "n" twice'),
        ('{"n": 1', "cannot be taken apart"),
        ("", "cannot be taken apart"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "cannot be taken apart"),
    ],
)
def test_what_readers_may_not_agree_on_is_for_people(line: str, said: str) -> None:
    with pytest.raises(UnrepairableError, match=said):
        with_members(line, '{"n":"a"}')
    assert with_members('{"m": 1, "m": 2, "n": 3}', '{"n":4}') == '{"m": 1, "m": 2, "n": 4}'
