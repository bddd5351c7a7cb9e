"""Setuid and setgid programs below a directory: each that is not listed is told, with what it is; real files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.checks.setuid_files import SetuidFilesCheck
from zen_agents.clock import SystemClock
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports import walk as walking


def look(folder: Path, *known: Path) -> Observation:
    check = SetuidFilesCheck("local", path=str(folder), known=[str(path) for path in known], every_seconds=300)
    (seen,) = check.observe(LinuxHost(folder.parent / "state").look(), SystemClock().now())
    return seen


def program(path: Path, mode: int, content: bytes = b"#!/bin/sh\n") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "bin").mkdir()
    return folder


def test_one_that_is_not_listed_is_told_with_the_hash_of_what_it_holds(folder: Path) -> None:
    fetch = program(folder / "deep" / ".fetch", 0o4755)
    seen = look(folder)
    assert (seen.name, seen.status, seen.value) == ("setuid_files.local", Status.PROBLEM, 1.0)
    assert f"{fetch} (mode 4755, owner {fetch.stat().st_uid}:{fetch.stat().st_gid}, 10 B" in seen.detail
    assert f"sha256 {hashlib.sha256(fetch.read_bytes()).hexdigest()}" in seen.detail
    assert seen.facts["file 1"] in seen.detail
    assert look(folder, fetch).status is Status.OK


@pytest.mark.parametrize(
    ("mode", "status"), [(0o4700, Status.PROBLEM), (0o2755, Status.PROBLEM), (0o2644, Status.OK), (0o1755, Status.OK)]
)
def test_only_what_lends_rights_counts(folder: Path, mode: int, status: Status) -> None:
    program(folder / "tool", mode)
    assert look(folder).status is status


def test_a_link_to_one_is_none_and_a_directory_that_is_not_there_holds_none(folder: Path) -> None:
    (folder / "link").symlink_to(program(folder.parent / "elsewhere", 0o4755))
    assert look(folder).status is Status.OK
    assert look(folder / "absent").status is Status.OK


def test_one_too_large_to_be_hashed_is_told_all_the_same(folder: Path) -> None:
    program(folder / "large", 0o4755, b"x" * ((1 << 20) + 1))
    assert "its hash is not known" in look(folder).detail


def test_what_was_not_looked_at_is_not_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_ENTRIES", 2)
    for name in ("a", "b", "c"):
        program(folder / name, 0o755)
    with pytest.raises(HostError, match="not all below"):
        look(folder)


def test_of_many_the_first_are_told_and_the_others_are_counted(folder: Path) -> None:
    for number in range(7):
        program(folder / f"tool{number}", 0o4755)
    seen = look(folder)
    assert seen.value == 7.0
    assert seen.detail.endswith("; and 2 more") and "tool4" in seen.detail and "tool5" not in seen.detail
