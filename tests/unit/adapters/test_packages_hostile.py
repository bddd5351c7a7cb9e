"""Whatever a file holds, its reader ends with an inventory: what is wrong is a problem of it, never an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.environments import a_dpkg_root, a_record, a_venv
from zen_agents.adapters.packages_found import inventories
from zen_agents.packages.package import Inventory

#: What each kind of file is made of.
_WORDS = {
    "requirements.txt": ("a", "==", "1.0", "1.*", ";", "(", ")", "@", "-r ", "-e ", "--hash=", "\\\n", "\n", "#", "\0"),
    "uv.lock": ("[[package]]", "name", "version", "source", "=", '"', "'", "{", "}", "[", "]", "\n", "a", "1", "9" * 5000),
    "pyproject.toml": ("[project]", "[dependency-groups]", "dependencies", "=", "[", "]", '"', "a==1", ",", "\n", "{", "}"),
    "package-lock.json": (
        '"packages"', '"dependencies"', '"node_modules/a"', '"version"', ":", "{", "}", ",", '"1.0.0"', "[", "]", "null",
        "7", '"\\ud800"', '"link"', "true",
    ),
    "status": (
        "Package: a", "Package:", "Status: install ok installed", "Status: x", "Version: 1", "Source: b (2)", "",
        "Source: (", "\n", " Version: 3", ":", "x",
    ),
    "METADATA": ("Name: a", "Version: 1", "Name:", "", " x", ":", "version:2"),
}  # fmt: skip
_ANYTHING = st.sampled_from(("\x00", "\x1b[31m", "\u202e", "\ud800", "é", "\t", "\r"))
_RANDOM = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _made_of(name: str, between: str) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.sampled_from(_WORDS[name]), _ANYTHING), max_size=30).map(between.join)


def whole(path: Path, text: str) -> list[Inventory]:
    """Read a file of this content; everything that is made of an inventory can be made."""
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = inventories(path)
    for inventory in found:
        assert all(each.purl and each.name and each.version for each in inventory.packages)
        assert all(str(each) for each in inventory.problems)
    return found


@pytest.mark.parametrize("name", ["requirements.txt", "uv.lock", "pyproject.toml", "package-lock.json"])
@_RANDOM
@given(st.data())
def test_a_file_of_a_project(tmp_path: Path, name: str, data: st.DataObject) -> None:
    assert whole(tmp_path / name, data.draw(_made_of(name, "")))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "a; " + "(" * 50_000),
        ("requirements.txt", "a==" + "1." * 500_000 + "x"),
        ("requirements.txt", "-r a\0b"),
        ("requirements.txt", "-r loop.txt"),
        ("requirements.txt", "-r /dev/zero\n-r ."),
        ("uv.lock", "version = " + "9" * 5000),
        ("uv.lock", "a = " + "[" * 100_000),
        ("package-lock.json", '{"packages": {"node_modules/\\ud800": {"version": "1.0.0"}}}'),
        ("package-lock.json", '{"packages": {"node_modules/a": {"version": "1.0.0\\ud800"}}}'),
        ("package-lock.json", '{"packages": {"node_modules/a": {"version": "1.0.0", "name": 7}}}'),
        ("package-lock.json", '{"dependencies": {"a": 1, "b": {"version": "npm:c"}}}'),
        ("package-lock.json", '{"lockfileVersion": ' + "9" * 5000 + "}"),
    ],
)
def test_what_would_break_a_careless_reader_is_a_problem(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "loop.txt").symlink_to("loop.txt")
    found = whole(tmp_path / name, text)
    assert [inventory.packages for inventory in found] == [()]
    assert all(inventory.problems for inventory in found)


@_RANDOM
@given(_made_of("status", "\n"))
@example("Package: a\nStatus: install ok installed\nVersion: \ud800")
def test_a_list_of_dpkg(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.mktemp("root")
    a_dpkg_root(root).write_bytes(text.encode("utf-8", "surrogatepass"))
    (found,) = inventories(root)
    assert all(each.purl for each in found.packages)


@_RANDOM
@given(_made_of("METADATA", "\n"))
def test_a_record_of_a_python_package(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    site = a_venv(tmp_path_factory.mktemp("venv"), {})
    a_record(site, "a", "1").write_bytes(text.encode("utf-8", "surrogatepass"))
    (found,) = inventories(site)
    assert len(found.packages) + len(found.problems) == 1
