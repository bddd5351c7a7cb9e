"""Locks of uv that others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from zen_agents.model.environment import Environment
from zen_agents.workers.locked_by_uv import UvLock
from zen_agents.workers.uv import UvError


def lock(directory: Path, locked: str, project: str = "") -> UvLock:
    (directory / "uv.lock").write_text(locked, encoding="utf-8")
    (directory / "pyproject.toml").write_text(project, encoding="utf-8")
    return UvLock(Environment("/srv/venv", requirements=str(directory / "uv.lock")))


def test_it_tells_what_is_pinned_and_what_is_asked_for(tmp_path: Path) -> None:
    found = lock(
        tmp_path, '[[package]]\nname = "Acme_Lib"\nversion = "1.0"\nwheels = [{hash = "sha256:a"}, {url = "x"}, 1]\n',
        '[project]\ndependencies = ["acme-lib>=1", "b @ file:///b", 1]\n',
    )  # fmt: skip
    assert (found.version("acme-lib"), found.version("other")) == ("1.0", None)
    assert (list(found.hashes("acme-lib", "1.0")), list(found.hashes("acme-lib", "2.0"))) == (["sha256:a"], [])
    assert found.loose == ["acme-lib>=1"]


@pytest.mark.parametrize(
    ("locked", "project"),
    [
        ("package = 1", "project = 1"),
        ('package = "acme-lib"', "project = []"),
        ('[[package]]\nname = "acme-lib"\nversion = 1\nwheels = 1', "[project]\ndependencies = 1"),
        ('package = [1, {name = 2}, {name = "acme-lib", wheels = {}}]', '[project]\ndependencies = {a = "b"}'),
    ],
)
def test_what_is_of_another_shape_pins_nothing_and_asks_for_nothing(tmp_path: Path, locked: str, project: str) -> None:
    found = lock(tmp_path, locked, project)
    assert (found.version("acme-lib"), list(found.hashes("acme-lib", "1.0")), found.loose) == (None, [], [])


def test_what_is_no_lock_is_named(tmp_path: Path) -> None:
    with pytest.raises(UvError, match=r"uv\.lock cannot be read"):
        lock(tmp_path, "package = [")
