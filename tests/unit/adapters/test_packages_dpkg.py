"""dpkg's list: what is installed, what it was built from, and all that cannot be told of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import a_dpkg_root, installed
from zen_agents.adapters.packages_dpkg import read_dpkg
from zen_agents.packages.package import Distribution, Inventory


def seen(inventory: Inventory) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in inventory.packages]


def whys(inventory: Inventory) -> list[str]:
    return [each.why for each in inventory.problems]


def test_what_is_installed_with_its_source(tmp_path: Path) -> None:
    a_dpkg_root(
        tmp_path,
        installed("libc6", "2.36-9", more="Source: glibc\nDescription: C library\n Package: not-this\n .\n"),
        installed("g++", "4:12.2.0-3", more="Source: gcc-defaults (1.203)\n"),
        installed("gone", "1-1", state="deinstall ok config-files"),
        installed("never", "1-1", state="unknown ok not-installed"),
        installed("held", "1-1", state="hold ok installed"),
    )
    found = read_dpkg(tmp_path)
    assert seen(found) == [("g++", "4:12.2.0-3"), ("held", "1-1"), ("libc6", "2.36-9")]
    assert [(each.source, each.source_version) for each in found.packages] == [
        ("gcc-defaults", "1.203"), ("held", "1-1"), ("glibc", "2.36-9"),
    ]  # fmt: skip
    assert {each.distribution for each in found.packages} == {Distribution("debian", "bookworm")}
    assert found.packages[0].architecture == "amd64"
    assert found.problems == ()


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this host has no dpkg")
def test_this_hosts_list_reads_as_dpkg_reads_it() -> None:
    form = "${db:Status-Status}\t${Package}\t${Version}\t${source:Package}\t${source:Version}\t${Architecture}\n"
    said = subprocess.run(["dpkg-query", "-W", "-f", form], capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    expected = sorted(tuple(row[1:]) for row in rows if row[0] not in ("config-files", "not-installed"))
    found = read_dpkg(Path("/")).packages
    assert expected
    assert (
        sorted((each.name, each.version, each.source, each.source_version, each.architecture) for each in found) == expected
    )


def test_what_dpkg_was_interrupted_at_is_listed_and_told(tmp_path: Path) -> None:
    status = a_dpkg_root(tmp_path, installed("sl", "5-1", state="install ok half-configured"), installed("ok", "1"))
    (status.parent / "updates" / "0001").write_text(installed("sl", "5-2"))
    found = read_dpkg(tmp_path)
    assert seen(found) == [("ok", "1"), ("sl", "5-1")]
    half, journal = found.problems
    assert "sl half done" in half.why and half.line == 1
    assert "dpkg --configure -a" in journal.why


def test_a_list_that_is_damaged_says_where_and_gives_what_it_can(tmp_path: Path) -> None:
    status = a_dpkg_root(
        tmp_path,
        installed("one", "1"),
        "Status: install ok installed\nVersion: 1",
        installed("two", "1").replace("Version: 1", "Version:"),
        installed("three", "1").replace("ok installed", ""),
        installed("four", "1", more="garbage\n"),
        installed("five", "1", more="Source: a b (c) d\n"),
        installed("../six", "1"),
    )
    with status.open("ab") as end:
        end.write(b"Package: seven\nStatus: install ok installed\nVersion: 1\xff")
    found = read_dpkg(tmp_path)
    assert [name for name, _ in seen(found)] == ["four", "one", "seven"]
    assert [(each.line, each.why.split(" ")[0]) for each in found.problems] == [
        (7, "has"), (10, "does"), (16, "does"), (26, "is"), (29, "does"), (36, "has"), (42, "ends"),
    ]  # fmt: skip


def test_what_cannot_be_read_is_no_empty_list_without_a_word(tmp_path: Path) -> None:
    assert whys(read_dpkg(tmp_path)) == ["is not there"]
    status = a_dpkg_root(tmp_path / "root", installed("one", "1"))
    (tmp_path / "root" / "etc" / "os-release").unlink()
    assert whys(read_dpkg(tmp_path / "root")) == ["is not there: which distribution this is stays unknown"]
    status.unlink()
    status.mkdir()
    assert "is no regular file, and is not read" in whys(read_dpkg(tmp_path / "root"))
