"""`packages apply` without an engine: what it says, and that it does nothing by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import Done, command

CONFIG = """
agents:
  dependency_manager:
    environments:
      app: {venv: VENV, wheels: WHEELS}
    npm: {projects: [PROJECT]}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "config.yaml"
    text = CONFIG
    for word in ("VENV", "WHEELS", "PROJECT"):
        text = text.replace(word, str(tmp_path / word.lower()))
    path.write_text(text)
    return path


def apply(config: Path, *words: str) -> Done:
    return command("-c", str(config), "packages", "apply", *words)


@pytest.mark.parametrize("name", ["", "app", "environment:app"])
def test_without_an_engine_it_says_how_to_have_one(config: Path, name: str) -> None:
    done = apply(config, *filter(None, (name,)), "--dry-run")
    assert done.code == 3
    assert "zen-agents once --agent dependency_manager --yes" in done.err


def test_a_place_that_is_not_listed_is_told_with_those_that_are(config: Path) -> None:
    done = apply(config, "other", "--dry-run")
    assert done.code == 2
    assert "other" in done.err and "app" in done.err


def test_projects_of_npm_are_told_of_and_never_upgraded(config: Path, tmp_path: Path) -> None:
    done = apply(config, str(tmp_path / "project"), "--dry-run")
    assert done.code == 0
    assert "told of and not upgraded" in done.err
