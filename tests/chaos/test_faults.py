"""What holds for every fault's file: it reaches the host alone, and no engine."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest

import chaos.faults
from chaos.faults.base import Fault
from chaos.faults.catalog import FAULTS

FILES = sorted(Path(chaos.faults.__file__).parent.glob("*.py"))
#: All that a fault may import: so it cannot touch anything but the host that it is given.
ALLOWED = {
    "__future__", "abc", "collections.abc", "dataclasses", "typing", "json", "re", "time",
    "chaos.certificates", "chaos.packages",
    "chaos.host", "chaos.postgres", "chaos.processes", "chaos.volume", "chaos.waiting", "chaos.workload",
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fault_can_do_nothing_but_through_its_host(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.Name):
            assert node.id not in {"open", "exec", "eval", "__import__"}
    assert {name for name in imported if not name.startswith("chaos.faults")} <= ALLOWED


def test_every_file_is_in_the_catalog_and_names_are_taken_once() -> None:
    listed = {kind.__module__.rpartition(".")[2] for kind in FAULTS}
    assert listed == {path.stem for path in FILES} - {"__init__", "base", "catalog"}
    assert len({kind.name for kind in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name)
def test_a_faults_parameters_are_frozen_and_have_defaults(kind: type[Fault]) -> None:
    fault = kind()
    assert dataclasses.is_dataclass(fault)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(fault, dataclasses.fields(fault)[0].name, None)
