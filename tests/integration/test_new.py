"""What `new` writes is whole: its tests pass, its style is kept, and the engine takes the agent as a plug-in."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.engine_process import REPOSITORY

NAMES = {"agent": "disk_guard", "check": "spool", "action": "sweep", "rule": "high_load"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one of each kind."""
    made = tmp_path_factory.mktemp("new")
    for kind, name in NAMES.items():
        done = command("new", kind, name, "--dir", str(made), "-o", "json")
        body = done.json()
        assert (done.code, body["kind"], done.err) == (0, kind, "")
        assert all((Path(body["path"]) / file).is_file() for file in body["files"])
    return made


def packages(folder: Path) -> list[Path]:
    return sorted(folder.glob("zen-*"))


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(REPOSITORY), *map(str, packages(folder))])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_tests_of_each_pass(folder: Path) -> None:
    words = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:asyncio", "-c", os.devnull, "-W", "error"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--rootdir", str(folder), str(folder)], env=environment(folder), cwd=folder,
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    ran = done.stdout.rpartition("\n24 passed")[1]
    assert ran, done.stdout


def test_each_is_written_as_the_house_writes(folder: Path) -> None:
    for made in packages(folder):
        ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,W,UP,B", "--line-length", "125", "."]
        done = subprocess.run(ruff, cwd=made, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout


def test_the_engine_takes_the_agent_with_its_action_as_the_page_says(folder: Path, tmp_path: Path) -> None:
    project = tomllib.loads((folder / "zen-disk-guard" / "pyproject.toml").read_text())["project"]
    entries = [line for group, points in project["entry-points"].items()
               for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))]  # fmt: skip
    installed = tmp_path / "zen_disk_guard-0.1.0.dist-info"
    installed.mkdir()
    (installed / "entry_points.txt").write_text("\n".join(entries), encoding="utf-8")
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: zen-disk-guard\nVersion: 0.1.0\n", encoding="utf-8")
    shown = (folder / "zen-disk-guard" / "README.md").read_text().splitlines()
    config = tmp_path / "config.yaml"
    config.write_text("\n".join(line[4:] for line in shown if line.startswith("    ") and ":" in line), encoding="utf-8")
    config.chmod(0o600)
    env = environment(folder)
    env["PYTHONPATH"] += os.pathsep + str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "zen_agents", "check-config", str(config), "-o", "json"], env=env, cwd=REPOSITORY,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    body = json.loads(done.stdout)
    assert (body["ok"], body["agents"], body["rules"]) == (True, ["disk_guard"], 1), body["diagnostics"]
    assert body["allowed"] == ["clean_disk_guard"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("rule", "../etc"), ("rule", "High"), ("agent", "a-b"), ("check", ""), ("action", "class"), ("rule", "x" * 41),
        ("agent", "system_health"), ("action", "restart_service"), ("check", "disk"), ("agnet", "x"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_one_writes_nothing(tmp_path: Path, kind: str, name: str) -> None:
    done = command("new", kind, name, "--dir", str(tmp_path))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "high_load").mkdir()
    done = command("new", "rule", "high_load", "--dir", str(tmp_path))
    assert (done.code, list((tmp_path / "high_load").iterdir())) == (2, [])
