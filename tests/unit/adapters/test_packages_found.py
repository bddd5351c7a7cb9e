"""Locks and lists of projects: what they hold, each fault with its line, and what a path is taken for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.environments import a_dpkg_root, a_venv, installed
from zen_agents.adapters.packages_found import inventories
from zen_agents.errors import UsageError
from zen_agents.packages.package import Inventory


def one(path: Path) -> Inventory:
    (found,) = inventories(path)
    return found


def seen(inventory: Inventory) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in inventory.packages]


def told(inventory: Inventory) -> list[tuple[int, str]]:
    return [(each.line, each.why) for each in inventory.problems]


def test_a_requirements_file_with_all_that_it_includes(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("-r requirements.txt\nMarkupSafe === 2.1.5\n")
    (tmp_path / "requirements.txt").write_text(
        "# comment\n-i https://example.com/simple\n--no-binary :all:\n-rbase.txt\n\n"
        "Flask[async]==3.0.3 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11  # via x\n"
        'colorama==0.4 ; sys_platform == "win32"\ncolorama==0.3 ; sys_platform != "win32"\nzope.interface==6.0, >=5\n'
    )
    found = one(tmp_path / "requirements.txt")
    assert seen(found) == [
        ("colorama", "0.3"), ("colorama", "0.4"), ("flask", "3.0.3"), ("markupsafe", "2.1.5"), ("zope-interface", "6.0"),
    ]  # fmt: skip
    assert told(found) == []


def test_what_a_requirements_file_leaves_open_or_has_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "flask==3.0\njinja2>=3\nsix==1.*\nbad requirement here\nlib @ https://example.com/lib-1.0.whl\n-e ./mine\n"
        "--frobnicate\nFLASK==2.0\n-r gone.txt\nok==1.0"
    )
    found = one(tmp_path / "requirements.txt")
    assert seen(found) == [("flask", "2.0"), ("flask", "3.0"), ("ok", "1.0")]
    lines = told(found)
    assert [line for line, _ in lines] == [2, 3, 4, 5, 6, 7, 8, 0]
    assert lines[0][1] == "does not pin jinja2 (`==`): which version is installed stays unknown"
    assert lines[2][1].startswith("is no requirement: ")
    assert lines[3][1].startswith("takes lib from a URL")
    assert lines[6][1] == f"pins flask to 2.0, and {tmp_path}/requirements.txt:1 to 3.0: they conflict"
    assert found.problems[-1].path == f"{tmp_path}/gone.txt"


def test_a_lock_of_uv(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "mine"\ndependencies = ["flask"]\n')
    (tmp_path / "uv.lock").write_text(
        'version = 1\n[[package]]\nname = "mine"\nversion = "0.1"\nsource = { editable = "." }\n'
        '[[package]]\nname = "flask"\nversion = "3.0"\nsource = { registry = "https://example.com/simple" }\n'
        '[[package]]\nname = "odd"\nsource = { git = "https://example.com/odd" }\n[[package]]\nversion = "1"\n'
    )
    found = one(tmp_path)
    assert found.environment == str(tmp_path / "uv.lock")
    assert seen(found) == [("flask", "3.0")]
    assert told(found) == [(0, "does not say which version of odd is installed"), (0, "has a package without a name")]


def test_a_project_without_a_lock_tells_what_it_pins(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "mine"\ndependencies = ["flask==3.0", "jinja2"]\n'
        '[project.optional-dependencies]\nx = ["six==1.16"]\n'
        '[dependency-groups]\ndev = ["pytest==9.0", {include-group = "x"}]\n'
    )
    found = one(tmp_path)
    assert seen(found) == [("flask", "3.0"), ("pytest", "9.0"), ("six", "1.16")]
    assert told(found) == [(0, "does not pin jinja2 (`==`): which version is installed stays unknown")]
    a_venv(tmp_path / ".venv", {"flask": "3.1"})
    assert seen(one(tmp_path)) == [("flask", "3.1")]


@pytest.mark.parametrize("version", [2, 3])
def test_a_lock_of_npm(tmp_path: Path, version: int) -> None:
    packages = {
        "": {"name": "mine", "version": "1.0.0"},
        "workspaces/a": {"version": "1.0.0"},
        "node_modules/a": {"resolved": "workspaces/a", "link": True},
        "node_modules/@types/node": {"version": "20.1.0", "dev": True},
        "node_modules/x/node_modules/lodash": {"version": "4.17.20"},
        "node_modules/lodash": {"version": "4.17.21"},
        "node_modules/y/node_modules/lodash": {"version": "4.17.21"},
        "node_modules/alias": {"name": "real", "version": "2.0.0"},
        "node_modules/odd": {},
        "node_modules/worse": 7,
    }
    lock = {"lockfileVersion": version, "packages": packages, "dependencies": {"lodash": {"version": "0.0.1"}}}
    (tmp_path / "package-lock.json").write_text(json.dumps(lock))
    found = one(tmp_path)
    assert seen(found) == [("@types/node", "20.1.0"), ("lodash", "4.17.20"), ("lodash", "4.17.21"), ("real", "2.0.0")]
    assert told(found) == [(0, f"does not say which version of {name} is installed") for name in ("odd", "worse")]


def test_an_old_lock_of_npm(tmp_path: Path) -> None:
    below = {"lodash": {"version": "4.17.20"}, "git": {"version": "git+ssh://git@example.com/x.git#0"}}
    dependencies = {"x": {"version": "1.0.0", "dependencies": below}, "alias": {"version": "npm:@s/real@2.0.0"}}
    (tmp_path / "npm-shrinkwrap.json").write_text(json.dumps({"lockfileVersion": 1, "dependencies": dependencies}))
    found = one(tmp_path / "npm-shrinkwrap.json")
    assert seen(found) == [("@s/real", "2.0.0"), ("lodash", "4.17.20"), ("x", "1.0.0")]
    assert told(found) == [(0, "does not say which version of git is installed")]


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("package-lock.json", '{"packages": {\n  "a" 1}}', 2, "is no JSON: Expecting ':' delimiter"),
        ("package-lock.json", "[" * 100_000, 0, "is nested too deeply or has a number too long, and is not read"),
        ("package-lock.json", '{"name": "x"}', 0, "is no lock of npm"),
        ("package-lock.json", "[1]", 0, "is no lock of npm"),
        ("uv.lock", "version = 1\n[[package]\n", 2, "is no TOML: Expected ']]' at the end of an array declaration"),
        ("pyproject.toml", "[project]\nname = \xff\n", 2, "is no UTF-8 text"),
    ],
)
def test_a_broken_lock_is_told_with_its_place_and_never_taken_for_an_empty_one(
    tmp_path: Path, name: str, text: str, line: int, why: str
) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    found = one(tmp_path / name)
    assert (seen(found), told(found)) == ([], [(line, why)])


def test_a_root_and_a_project_have_several(tmp_path: Path) -> None:
    a_dpkg_root(tmp_path, installed("sl", "5-1"))
    a_venv(tmp_path / "venv", {"flask": "3.0"})
    (tmp_path / "package-lock.json").write_text(
        '{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"}}}'
    )
    (tmp_path / "requirements-dev.txt").write_text("pytest\n")
    assert [seen(found) for found in inventories(tmp_path)] == [[("sl", "5-1")], [("flask", "3.0")], [("a", "1.0.0")]]
    assert told(one(tmp_path / "requirements-dev.txt"))[0][0] == 1


@pytest.mark.parametrize(
    ("name", "said"), [("none", "none is not there"), ("", "is not a Python environment, a root with dpkg")]
)
def test_where_nothing_is(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        inventories(tmp_path / name)
