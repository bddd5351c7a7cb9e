"""Failpoints do nothing unless a test armed one."""

from __future__ import annotations

import ast
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Arm
from zen_agents.store.failpoint import FAILPOINTS, failpoint

PACKAGE = Path(__file__).parents[3] / "zen_agents"
#: Who goes through the places of each kind, all that there are, and dies there: a kill that does not come fails the test.
TRIED_BY = {
    "store.": "unit/adapters/test_sqlite_store_crash.py, and test_sqlite_store_schema.py those of migrating",
    "executor.": "integration/test_faults.py",
}


def _passed() -> Iterator[str]:
    """Yield each place that the source passes; `commit` names the two around it."""
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "failpoint(" in source or ".commit(" in source else ():
            match node:
                case ast.Call(func=ast.Name("failpoint"), args=[ast.Constant(str(name))]):
                    yield name
                case ast.Call(func=ast.Attribute(attr="commit"), args=[ast.Constant(str(seam))]):
                    yield from (f"store.{seam}.before_commit", f"store.{seam}.after_commit")


def test_the_list_is_every_place_of_the_source_and_all_are_tried() -> None:
    assert set(_passed()) == set(FAILPOINTS)
    assert [name for name in FAILPOINTS if not name.startswith(tuple(TRIED_BY))] == []


def test_nothing_happens_unless_armed() -> None:
    assert [failpoint(name) for name in FAILPOINTS] == [None] * len(FAILPOINTS)


def test_only_the_named_place_fails_and_only_once(arm: Arm) -> None:
    arm("store.finish.after_commit:enospc:2")
    failpoint("store.finish.before_commit")
    failpoint("store.finish.after_commit")
    with pytest.raises(OSError, match="failpoint store") as caught:
        failpoint("store.finish.after_commit")
    assert caught.value.errno == errno.ENOSPC
    failpoint("store.finish.after_commit")


def test_a_place_that_is_not_listed_is_an_error_of_the_caller(arm: Arm) -> None:
    arm("store.finish.after_commit:eio:9")
    with pytest.raises(ValueError, match="no such failpoint"):
        failpoint("store.nowhere")
