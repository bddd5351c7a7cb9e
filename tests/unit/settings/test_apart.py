"""A large configuration is loaded by a process of its own, and everything that comes of it is the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.settings import agent_module
from zen_agents import catalog
from zen_agents.settings import apart
from zen_agents.settings.loader import Loaded, load
from zen_agents.settings.rendering import render

AGENT = agent_module("Miner", "miner")


def _text(entries: int = 1500) -> str:
    lines = ["version: 1", "agents:", "  system_health:", "    schedule: '*/5 * * * *'", "    services:"]
    lines += [f"      s{n}: {{pidfile: /run/s{n}.pid, every: 1500ms, check: {{tcp: 'localhost:80'}}}}" for n in range(5)]
    lines += ["    temp_dirs:", "      t: {path: /var/tmp/t, above: 80%, down_to: 70.5%}"]
    lines += ["    logs:", "      l: {path: '/srv/l/*.log', rotate_at: 3MiB}"]
    lines += ["    caches:", "      c: {path: /srv/c, above: 2GiB, down_to: 1GiB}", "    paths:"]
    lines += [f"      p{n}: {{path: /srv/watched/{n}, mode: '0755', owner: root, group: root}}" for n in range(entries)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(_text(), encoding="utf-8")
    path.chmod(0o600)
    assert path.stat().st_size < apart.LARGE_BYTES
    return path


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Have every file loaded apart; the engine would only do it itself with a warning."""
    monkeypatch.setattr(apart, "LARGE_BYTES", 0)
    return caplog


def both(file: Path, **environ: str) -> tuple[Loaded, Loaded]:
    """Load in a process of its own, and here."""
    environ = {"PATH": os.defpath, **environ}
    return apart.load_lean([file], environ, flags={"mode": "observe"}), load(
        file, environ, flags={"mode": "observe"}, lean=True
    )


def test_settings_digest_places_and_files_are_the_same(file: Path, everything_is_large: pytest.LogCaptureFixture) -> None:
    (file.parent / "conf.d").mkdir(mode=0o700)
    drop_in = file.parent / "conf.d" / "10.yaml"
    drop_in.write_text("agents: {system_health: {paths: {p3: {severity: critical}}}}\n", encoding="utf-8")
    drop_in.chmod(0o600)
    there, here = both(file, MAX_AUTO_REPAIRS_PER_HOUR="3")
    assert not everything_is_large.records
    assert there.require() == here.require()
    assert there.require().limits.max_auto_repairs_per_hour == 3
    assert there.require().agents["system_health"].paths["p3"].severity == "critical"
    assert (
        there.require().agents["system_health"].model_fields_set == here.require().agents["system_health"].model_fields_set
    )
    assert (there.digest, there.origins, there.files) == (here.digest, here.origins, here.files)
    assert there.lean() == here.lean()


def test_what_thousands_of_entries_have_in_common_is_there_once(
    file: Path, everything_is_large: pytest.LogCaptureFixture
) -> None:
    del everything_is_large
    paths = apart.load_lean([file], {}, flags={}).require().agents["system_health"].paths
    assert len({id(path.model_fields_set) for path in paths.values()}) == 1
    assert len({id(path.mode) for path in paths.values()}) == 1
    assert len({path.path for path in paths.values()}) == len(paths)


def test_what_is_wrong_is_told_word_for_word(file: Path, everything_is_large: pytest.LogCaptureFixture) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write("      bad: {path: relative, mode: '0755', owner: root, group: root}\nlimts: {}\n")
    there, here = both(file, ALERT_EMIAL="x@example.com")
    assert not everything_is_large.records
    assert [each.code for each in here.errors] == ["ZC210", "ZC101"]
    assert render(there.diagnostics, "concise", files=there.files) == render(here.diagnostics, "concise", files=here.files)
    assert there.settings is None


def test_a_file_that_is_not_there_is_told_as_ever(tmp_path: Path, everything_is_large: pytest.LogCaptureFixture) -> None:
    there, here = both(tmp_path / "none.yaml")
    assert not everything_is_large.records
    assert render(there.diagnostics, "concise", files=there.files) == render(here.diagnostics, "concise", files=here.files)


def test_plug_ins_are_in_the_catalog_here_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, everything_is_large: pytest.LogCaptureFixture
) -> None:
    for name in ("AGENTS", "CHECKS", "ACTIONS", "MILD"):
        monkeypatch.setattr(catalog, name, getattr(catalog, name))
    (tmp_path / "zen_miner.py").write_text(AGENT, encoding="utf-8")
    dist = tmp_path / "zen_miner-1.dist-info"
    dist.mkdir()
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: zen-miner\nVersion: 1\n", encoding="utf-8")
    (dist / "entry_points.txt").write_text("[zen_agents.agents]\nminer = zen_miner:Miner\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "config.yaml"
    file.write_text("plugins: [zen-miner]\nagents: {miner: {depth: 7}}\n", encoding="utf-8")
    file.chmod(0o600)
    loaded = apart.load_lean([file], {}, flags={})
    assert not everything_is_large.records
    assert loaded.require().agents["miner"].depth == 7
    assert "miner" in catalog.AGENTS


def test_a_process_that_does_not_come_back_costs_memory_alone(
    file: Path, everything_is_large: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "LONGEST_SECONDS", 0.001)
    assert len(apart.load_lean([file], {}, flags={}).require().agents["system_health"].paths) == 1500
    assert "its own process failed" in everything_is_large.text


def test_a_small_configuration_starts_no_process(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zen_agents.settings.apart.subprocess.run", lambda *_, **__: pytest.fail("a process was started"))
    assert len(apart.load_lean([file], {}, flags={}).require().agents["system_health"].paths) == 1500
