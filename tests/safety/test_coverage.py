"""Each of the 36 rules is held by tests that exist, or says why this version does not touch it."""

import ast
from pathlib import Path

import pytest

from tests.safety.coverage import HELD, NOT_YET

TESTS = Path(__file__).parents[1]


def _tests_of(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("number", range(1, 37))
def test_each_rule_is_held_or_says_why_not(number: int) -> None:
    rule = f"R{number}"
    assert HELD.get(rule) or len(NOT_YET.get(rule, "")) > 20, f"{rule} has neither a test nor a reason"
    for id in HELD.get(rule, ()):
        name, _, test = id.partition("::")
        path = TESTS / name
        assert path.is_file(), f"{rule}: there is no {name}"
        assert test in _tests_of(path), f"{rule}: {name} has no {test}"


def test_no_rule_is_made_up() -> None:
    rules = {f"R{number}" for number in range(1, 37)}
    assert set(HELD) | set(NOT_YET) == rules
