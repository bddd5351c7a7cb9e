"""What other packages bring is loaded only from the host's own file, and only if nobody else can write it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.settings import agent_module, codes, loaded
from zen_agents import catalog

MODULE = agent_module("Guarded", "disk_guard")
TEXT = "plugins: [disk-guard]\nagents: {system_health: {}, disk_guard: {depth: 2}}\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one agent, installed for this test alone."""
    for name in ("AGENTS", "CHECKS", "ACTIONS", "MILD"):
        monkeypatch.setattr(catalog, name, getattr(catalog, name))
    (tmp_path / "zen_disk_guard.py").write_text(MODULE, encoding="utf-8")
    dist = tmp_path / "disk_guard-1.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: disk-guard\nVersion: 1\n", encoding="utf-8")
    (dist / "entry_points.txt").write_text("[zen_agents.agents]\ndisk_guard = zen_disk_guard:Guarded\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(__import__("sys").modules, "zen_disk_guard", raising=False)
    return tmp_path


@pytest.mark.usefixtures("package")
def test_an_agent_of_a_named_package_has_its_own_section_and_variable() -> None:
    settings = loaded(TEXT, AGENT_DISK_GUARD_ENABLED="off").require()
    assert (settings.agents["disk_guard"].depth, settings.agents["disk_guard"].enabled) == (2, False)
    assert codes(TEXT.replace("depth", "deph")) == ["ZC101"]


@pytest.mark.usefixtures("package")
def test_a_package_that_nobody_named_is_not_loaded() -> None:
    assert codes("agents: {system_health: {}, disk_guard: {depth: 2}}\n") == ["ZC101"]
    assert "disk_guard" not in catalog.AGENTS


@pytest.mark.usefixtures("package")
def test_a_drop_in_cannot_name_one() -> None:
    result = loaded("agents: {system_health: {}}\n", drop_ins={"a.yaml": "plugins: [disk-guard]\n"})
    assert [each.code for each in result.diagnostics] == ["ZC406"]


def test_what_is_not_there_or_does_not_load_or_is_taken_is_told(package: Path) -> None:
    assert codes("plugins: [no-such-package]\nagents: {system_health: {}}\n") == ["ZC303"]
    assert codes("plugins: [pyyaml]\nagents: {system_health: {}}\n") == ["ZC406"]
    (package / "zen_disk_guard.py").write_text(MODULE.replace('"disk_guard"', '"system_health"'), encoding="utf-8")
    assert codes("plugins: [disk-guard]\nagents: {system_health: {}}\n") == ["ZC406"]


def test_code_that_breaks_is_told(package: Path) -> None:
    (package / "zen_disk_guard.py").write_text("raise RuntimeError('no')\n", encoding="utf-8")
    result = loaded("plugins: [disk-guard]\nagents: {system_health: {}}\n")
    assert [each.code for each in result.errors] == ["ZC406"]
    assert "RuntimeError: no" in result.errors[0].message


@pytest.mark.skipif(os.geteuid() != 0, reason="others can only be kept out of root's files")
def test_as_root_code_that_others_may_write_is_not_loaded(package: Path) -> None:
    (package / "zen_disk_guard.py").chmod(0o666)
    assert codes("plugins: [disk-guard]\nagents: {system_health: {}}\n") == ["ZC406"]
