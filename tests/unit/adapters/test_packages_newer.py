"""Which later versions can be had of Python packages, as real uv says: the latest, and the latest small step before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import a_venv
from tests.support.index_server import index_server
from tests.support.wheelhouse import write_wheel
from zen_agents.adapters.packages_newer import NotAskedError, newer_python

INSTALLED = {"Click": "8.1", "jinja2": "3.1", "gone": "1.0", "own": "2.0"}


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    a_venv(tmp_path / "app", INSTALLED)
    for name, versions in {"click": ("8.1", "8.2", "8.3", "9.0"), "jinja2": ("3.1", "3.2"), "gone": ("1.1", "3.0")}.items():
        for version in versions:
            write_wheel(tmp_path / "wheels", name, version)
    return tmp_path / "wheels"


#: `gone` has no 1.0 any more, and a small step all the same; of `own` nobody has another version.
WANTED = {"click": ("8.3", "9.0"), "jinja2": ("3.2",), "gone": ("1.1", "3.0")}


def test_the_latest_small_step_is_told_before_a_major_one(tmp_path: Path, wheels: Path) -> None:
    assert newer_python(tmp_path / "app", wheels=[str(wheels)]).versions == WANTED


def test_an_index_says_the_same_and_what_was_withdrawn_cannot_be_had(tmp_path: Path, wheels: Path) -> None:
    with index_server(wheels) as index:
        index.yanked["click-8.3-py3-none-any.whl"] = "it eats data"
        found = newer_python(tmp_path / "app", index=f"{index.url}/simple").versions
    assert found == {**WANTED, "click": ("8.2", "9.0")}


def test_one_that_has_no_small_step_any_more_keeps_no_other_from_being_told(tmp_path: Path, wheels: Path) -> None:
    (wheels / "gone-1.1-py3-none-any.whl").unlink()
    assert newer_python(tmp_path / "app", wheels=[str(wheels)]).versions == {**WANTED, "gone": ("3.0",)}


def test_an_index_that_is_away_is_not_known(tmp_path: Path, wheels: Path) -> None:
    with pytest.raises(NotAskedError):
        newer_python(tmp_path / "app", index="http://127.0.0.1:9/simple")
