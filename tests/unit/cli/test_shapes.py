"""What is printed for programs is promised by a schema: for every name one, and nothing besides what it names."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.schemas import faults
from zen_agents import cli
from zen_agents.cli.shapes import SHAPES, json_schema


def printed() -> set[str]:
    """Return every name that some command prints under, as the source has it; a part that is computed reads `*`."""
    names = set()
    for path in Path(cli.__file__).parent.glob("*.py"):
        # What prints for all of them is handed the name.
        called = {"data", "tell"} if path.stem != "outcome" else set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in called:
                names.add(_name_of(node.args[1]))
    return names


def _name_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
    assert isinstance(node, ast.Constant), ast.dump(node)
    return str(node.value)


def test_every_name_that_is_printed_has_a_shape_and_none_is_left_over() -> None:
    found = {name for name in SHAPES if name != "error"}
    # The kinds of things that `explain` lists.
    found = {"explain-*s" if name.startswith("explain-") else name for name in found}
    assert printed() | {"audit-export"} == found


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_each_schema_can_be_printed_and_refuses_what_is_something_else(name: str) -> None:
    schema = json.loads(command("schema", name).out)
    assert schema == json_schema(name)
    assert faults({"schema": "zen-agents/other/v1"}, schema)
    assert faults([], schema)


def test_a_field_more_or_less_is_a_fault() -> None:
    whole = {"schema": "zen-agents/version/v1", "version": "1", "python": "3"}
    schema = json_schema("version")
    assert faults(whole, schema) == []
    assert faults({**whole, "more": 1}, schema)
    assert faults({"schema": whole["schema"], "version": "1"}, schema)


def test_a_schema_that_does_not_exist_is_named() -> None:
    done = command("schema", "statsu")
    assert done.code == 2
    assert "did you mean 'status'" in done.err
