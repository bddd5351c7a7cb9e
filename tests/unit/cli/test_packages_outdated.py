"""`packages outdated` and `why`: what could be upgraded and what policy does of it; never fine where it is not known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.advisories import record
from tests.support.command_line import Done, command
from tests.support.environments import a_dpkg_root, a_venv, installed
from tests.support.npm_registry import npm_registry
from tests.support.schemas import as_promised
from zen_agents.adapters import packages_look
from zen_agents.adapters.packages_newer import NotAskedError
from zen_agents.adapters.packages_withdrawn import NOTHING_WITHDRAWN, Withdrawn
from zen_agents.model.package_look import Yanked
from zen_agents.packages.updates import Available

LATER = {"flask": ("3.1",), "click": ("9.0",)}


@pytest.fixture(autouse=True)
def _environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZEN_AGENTS_STATE_DIR", str(tmp_path / "state"))
    site = a_venv(Path("app"), {"Flask": "3.0", "Jinja2": "3.1.3", "click": "8.1"})
    metadata = site / "Flask-3.0.dist-info" / "METADATA"
    metadata.write_text(
        metadata.read_text().replace("Summary", "Requires-Dist: Jinja2>=3.1 ; python_version > '3'\nSummary")
    )
    Path("records").mkdir()
    Path("records/1.json").write_bytes(
        record("PYSEC-1", "jinja2", ({"introduced": "0"}, {"fixed": "3.1.4"}), summary="a hole")
    )
    monkeypatch.setattr(packages_look, "newer_python", lambda *_, **__: Available(LATER | {"jinja2": ("3.1.6",)}))
    monkeypatch.setattr(packages_look, "withdrawn", lambda *_: NOTHING_WITHDRAWN)


def packages(verb: str, *words: str) -> Done:
    return command("packages", verb, "-e", "app", "--osv", "records", *words)


def test_each_step_says_how_far_it_goes_and_what_policy_does() -> None:
    done = packages("outdated")
    assert done.code == 1
    assert [line.split()[:5] for line in done.out.splitlines()[1:4]] == [
        ["click", "8.1", "9.0", "major", "leaves"],
        ["flask", "3.0", "3.1", "minor", "tells"],
        ["jinja2", "3.1.3", "3.1.4", "security", "upgrades"],
    ]
    assert "3 packages, 3 could be upgraded" in done.out
    body = packages("outdated", "-o", "json").json()
    as_promised(body)
    assert [(each["name"], each["fixes"]) for each in body["items"]][2] == ("jinja2", ["PYSEC-1"])
    assert packages("outdated", "-o", "name").out == "click\nflask\njinja2\n"


def test_nothing_is_old_only_where_all_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("records/1.json").write_bytes(record("PYSEC-1", "other", ({"introduced": "0"},)))
    monkeypatch.setattr(packages_look, "newer_python", lambda *_, **__: Available({}))
    done = packages("outdated")
    assert (done.code, "none is old" in done.out) == (0, True)

    def unasked(*_: object, **__: object) -> Available:
        raise NotAskedError("uv: no index answers")

    monkeypatch.setattr(packages_look, "newer_python", unasked)
    done = packages("outdated")
    assert done.code == 6
    assert "UNKNOWN: 1 thing could not be told" in done.out
    assert "none is old" not in done.out
    assert "uv: no index answers" in done.err


def test_a_release_that_was_withdrawn_is_told_with_its_reason_and_what_is_not_known_of_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Withdrawn(
        (Yanked("click", "8.1", "it eats data"),), "which of 2 installed releases were withdrawn is not known: x"
    )
    monkeypatch.setattr(packages_look, "withdrawn", lambda *_: told)
    done = packages("outdated")
    assert done.code == 1
    assert "click 8.1 in" in done.out
    assert "was withdrawn by its authors: it eats data" in done.out
    assert "which of 2 installed releases were withdrawn is not known" in done.err
    body = packages("outdated", "-o", "json").json()
    as_promised(body)
    assert [(each["package"], each["reason"]) for each in body["yanked"]] == [("click", "it eats data")]
    assert "withdrawn   by its authors: it eats data" in packages("why", "click").out


def test_why_says_who_requires_it_what_is_known_and_what_policy_does() -> None:
    done = packages("why", "JINJA2")
    assert done.code == 0
    for text in (
        "jinja2 3.1.3 in", "required by Flask (Jinja2>=3.1", "PYSEC-1 (unknown), fixed in 3.1.4: a hole",
        "3.1.3 -> 3.1.4 (security): upgrades", "there is no state in",
    ):  # fmt: skip
        assert text in done.out
    assert "it is there for itself" in packages("why", "click").out
    as_promised(packages("why", "jinja2", "-o", "json").json())


def test_a_package_that_is_nowhere_is_told_with_where_it_was_looked_for() -> None:
    done = packages("why", "numpy")
    assert done.code == 2
    assert "numpy is not installed in" in done.err
    assert packages("why").code == 2


def test_who_requires_a_debian_package_and_one_of_npm() -> None:
    root = a_dpkg_root(
        Path("root"), installed("libssl3", "3.0"), installed("curl", "7", more="Depends: libc6, libssl3 (>= 3) | x\n")
    )
    assert root.exists()
    Path("web").mkdir()
    Path("web/package-lock.json").write_text(
        '{"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "^1"}}, "node_modules/a": {"version": "1.0.0", '
        '"dependencies": {"b": "~2"}}, "node_modules/b": {"version": "2.0.0"}}}'
    )
    Path("feed").write_bytes(b"")
    debian = command("packages", "why", "libssl3", "-e", "root", "--debsecan", "feed")
    assert "required by curl (libssl3 (>= 3) | x)" in debian.out
    with npm_registry() as registry:
        npm = command("packages", "why", "b", "-e", "web", "--osv", "records", "--npm", registry.url)
    assert "required by a (b ~2)" in npm.out
    assert npm.code == 6


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "zen.yaml"
    path.write_text(
        f"agents: {{dependency_manager: {{security_updates: notify, hold: [flask], "
        f"advisories: {{osv: {tmp_path}/records}}, environments: {{app: {{venv: {tmp_path}/app}}}}}}}}\n"
    )
    yield path


def test_without_a_path_it_is_about_what_the_configuration_lists_by_its_policy(configured: Path) -> None:
    done = command("packages", "outdated", "-c", str(configured))
    rows = [line.split()[:6] for line in done.out.splitlines()[1:4]]
    assert [(row[0], row[4], row[5]) for row in rows] == [
        ("click", "leaves", "app"), ("flask", "leaves", "app"), ("jinja2", "tells", "app"),
    ]  # fmt: skip
