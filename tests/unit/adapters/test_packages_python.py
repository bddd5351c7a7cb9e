"""Python environments as they are found: whole, broken, moved, left half done; nothing of them is ever run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.environments import a_record, a_venv
from zen_agents.adapters.packages_python import is_python_environment, read_python_environment
from zen_agents.packages.package import Inventory

_WHAT_METADATA_SAYS = """
import importlib.metadata, json, sys
print(json.dumps([(each.name, each.version) for each in importlib.metadata.distributions(path=sys.argv[1:])]))
"""


def seen(inventory: Inventory) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in inventory.packages]


def whys(inventory: Inventory) -> list[str]:
    return [str(each) for each in inventory.problems]


def test_what_is_installed(tmp_path: Path) -> None:
    a_venv(tmp_path / "venv", {"Flask": "3.0", "zope.interface": "6.0", "typing_extensions": "4.1"})
    (tmp_path / "venv" / "lib64").symlink_to("lib")
    found = read_python_environment(tmp_path / "venv")
    assert seen(found) == [("flask", "3.0"), ("typing-extensions", "4.1"), ("zope-interface", "6.0")]
    assert {each.where for each in found.packages} == {str(tmp_path / "venv")}
    assert found.problems == ()


def test_this_environment_reads_as_its_own_interpreter_reads_it() -> None:
    site = sysconfig.get_path("purelib")
    said = subprocess.run(
        [sys.executable, "-c", _WHAT_METADATA_SAYS, site], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    found = read_python_environment(Path(site))
    assert found.packages
    assert sorted((name.lower().replace("_", "-").replace(".", "-"), version) for name, version in json.loads(said)) == seen(
        found
    )


def test_an_interpreter_that_moved_is_told_and_what_is_there_is_listed(tmp_path: Path) -> None:
    a_venv(tmp_path, {"flask": "3.0"})
    (tmp_path / "bin" / "python").unlink()
    (tmp_path / "bin" / "python").symlink_to("/opt/python-3.9/bin/python3.9")
    found = read_python_environment(tmp_path)
    assert seen(found) == [("flask", "3.0")]
    assert whys(found) == [
        f"{tmp_path}/bin/python is gone or was moved: nothing of this environment can run, what it holds is listed"
    ]


def test_what_installers_left_half_done_is_told(tmp_path: Path) -> None:
    site = a_venv(tmp_path, {"flask": "3.0", "jinja2": "3.1"})
    (site / "~ask-2.0.dist-info").mkdir()
    (site / "empty-1.0.dist-info").mkdir()
    a_record(site, "Flask", "2.0")
    a_record(site, "nameless", "1.0").write_text("Metadata-Version: 2.1\nVersion: 1.0\n\n")
    a_record(site, "versionless", "1.0").write_text("Name: versionless\n\nVersion: 1.0\n")
    (site / "mine.egg-link").write_text("/home/me/mine\n.")
    found = read_python_environment(tmp_path)
    assert seen(found) == [("flask", "2.0"), ("flask", "3.0"), ("jinja2", "3.1")]
    told = "\n".join(whys(found))
    assert "empty-1.0.dist-info/METADATA is not there" in told
    assert "mine.egg-link names a directory in which a package is developed" in told
    assert "nameless-1.0.dist-info/METADATA does not say which package it is of" in told
    assert "versionless-1.0.dist-info/METADATA does not say which version of versionless" in told
    assert "~ask-2.0.dist-info was left by an installation that was interrupted" in told
    assert told.endswith("has flask in two versions, 2.0 and 3.0")


def test_records_of_old_tools_and_of_uv(tmp_path: Path) -> None:
    site = a_venv(tmp_path / "venv", {})
    (site / "six-1.16.egg-info").write_text("Metadata-Version: 1.2\nName: six\nVersion: 1.16\n")
    (site / "old.egg-info").mkdir()
    (site / "old.egg-info" / "PKG-INFO").write_text("Name: old\nVersion: 0.1\n")
    (tmp_path / "cache").mkdir()
    kept = a_record(tmp_path / "cache", "linked", "1.0")
    (site / "linked-1.0.dist-info").mkdir()
    (site / "linked-1.0.dist-info" / "METADATA").symlink_to(kept)
    assert seen(read_python_environment(tmp_path / "venv")) == [("linked", "1.0"), ("old", "0.1"), ("six", "1.16")]


def test_nothing_is_waited_for_and_nothing_boundless_is_read(tmp_path: Path) -> None:
    site = a_venv(tmp_path, {})
    metadata = a_record(site, "fifo", "1.0")
    metadata.unlink()
    os.mkfifo(metadata)
    a_record(site, "huge", "1.0").write_bytes(b"x" * ((4 << 20) + 1))
    a_record(site, "hostile\x1b[31m", "1.0")
    told = whys(read_python_environment(tmp_path))
    assert [line.rpartition("METADATA ")[2] for line in told] == [
        "is no regular file, and is not read",
        "does not say which package it is of",
        "is larger than 4.0 MiB, and is not read",
    ]


def test_packages_that_it_borrows_are_told_of(tmp_path: Path) -> None:
    a_venv(tmp_path, {"flask": "3.0"})
    (tmp_path / "pyvenv.cfg").write_text("home = /opt/py/bin\nInclude-System-Site-Packages = TRUE\n")
    (told,) = whys(read_python_environment(tmp_path))
    assert "lets it also use packages of /opt/py/bin" in told


@pytest.mark.parametrize("left", ["nothing", "mark"])
def test_a_directory_that_is_no_environment(tmp_path: Path, left: str) -> None:
    if left == "mark":
        (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\n")
    assert is_python_environment(tmp_path) == (left == "mark")
    assert any("has no site-packages" in line for line in whys(read_python_environment(tmp_path)))
