"""`baseline record`: what is there is declared, what was declared stays, and the result is a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import command
from tests.support.schemas import as_promised
from zen_agents.drift.declared import sha256
from zen_agents.settings.loader import load


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A managed file of mode 0640, and a configuration that has nothing declared for it yet."""
    managed = tmp_path / "site.json"
    managed.write_text('{"port": 80}\n', encoding="utf-8")
    managed.chmod(0o640)
    entry = f"{{path: {managed}, declared: {tmp_path}/declared/site}}"
    text = f"agents: {{system_health: {{baselines: {{site: {entry}}}}}}}\nalerts: {{email: {{to: [a@example.com]}}}}\n"
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "config.yaml").chmod(0o600)
    return tmp_path


def record(site: Path, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = command("baseline", "record", *words, "-c", str(site / "config.yaml"), "-o", "json")
    body = json.loads(done.out)
    as_promised(body)
    return done.code, body["items"]


def test_what_each_baseline_compares_with_is_written_once_and_over_it_only_by_force(site: Path) -> None:
    managed, declared = site / "site.json", site / "declared" / "site"
    code, (first,) = record(site)
    assert (code, first["outcome"], first["mode"]) == (0, "recorded", "0640")
    assert first["sha256"] == sha256(managed.read_bytes())
    assert declared.read_bytes() == managed.read_bytes()
    assert declared.stat().st_mode & 0o777 == 0o640
    assert record(site, "site")[1][0]["outcome"] == "same"
    managed.write_text('{"port": 81}\n', encoding="utf-8")
    code, (left,) = record(site, "site")
    assert (code, left["outcome"]) == (1, "left")
    assert declared.read_text(encoding="utf-8") == '{"port": 80}\n'
    code, (forced,) = record(site, "--force")
    assert (code, forced["outcome"]) == (0, "recorded")
    assert declared.read_bytes() == managed.read_bytes()


def test_files_that_none_names_come_with_entries_that_can_be_laid_into_conf_d(site: Path) -> None:
    managed, folder = site / "site.json", site / "new"
    words = ["baseline", "record", "--file", str(managed), "--to", str(folder)]
    done = command(*words)
    assert done.code == 0
    assert "recorded" in done.out
    (site / "conf.d").mkdir()
    drop_in = site / "conf.d" / "baselines.yaml"
    drop_in.write_bytes((folder / "baselines.yaml").read_bytes())
    drop_in.chmod(0o600)
    health = load([str(site / "config.yaml")], {}).require().agents["system_health"]
    (name,) = [each for each in health.baselines if each != "site"]
    assert health.paths[name].mode == "0640"
    assert health.paths[name].on_failure == ()
    assert command(*words).code == 0
    managed.write_text("other\n", encoding="utf-8")
    again = command(*words)
    assert again.code == 1
    assert "--force records over it" in again.err


@pytest.mark.parametrize("kind", ["missing", "link", "empty"])
def test_what_is_no_file_with_something_in_it_is_not_recorded(site: Path, kind: str) -> None:
    managed = site / "site.json"
    managed.unlink()
    if kind == "link":
        managed.symlink_to(site / "config.yaml")
    elif kind == "empty":
        managed.touch()
    code, (failed,) = record(site)
    assert (code, failed["outcome"]) == (1, "failed")
    assert kind in failed["why"]
    assert not (site / "declared").exists()


def test_a_link_where_it_is_to_be_declared_is_left_alone(site: Path) -> None:
    (site / "declared").mkdir()
    (site / "victim").write_text("precious\n", encoding="utf-8")
    (site / "declared" / "site").symlink_to(site / "victim")
    code, (failed,) = record(site, "--force")
    assert (code, failed["outcome"]) == (1, "failed")
    assert (site / "victim").read_text(encoding="utf-8") == "precious\n"


def test_what_others_could_write_is_told_and_is_not_declared(site: Path) -> None:
    record(site)
    (site / "declared" / "site").chmod(0o666)
    code, (open_to_all,) = record(site)
    assert (code, open_to_all["outcome"]) == (1, "same")
    assert "others may write it" in open_to_all["why"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--file", "/etc/hosts"], "--file and --to go together"),
        (["--to", "/srv"], "--file and --to go together"),
        (["site", "--file", "/etc/hosts", "--to", "/srv"], "either names"),
        (["sight"], "no baseline is called sight; there are: site"),
    ],
)
def test_what_cannot_be_meant_is_said(site: Path, words: list[str], says: str) -> None:
    done = command("baseline", "record", *words, "-c", str(site / "config.yaml"))
    assert done.code == 2
    assert says in done.err
