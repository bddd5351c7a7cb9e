"""A registry of npm over a real socket: the same pairs as `npm audit`, and whatever goes wrong is unknown."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.advisories import pypi
from tests.support.http_server import Reply
from tests.support.npm_registry import BULK, NpmRegistry, advisory, npm_registry
from zen_agents.adapters import advisories_npm
from zen_agents.adapters.advisories_cache import AdvisoryCache
from zen_agents.adapters.packages_npm import read_npm_lock
from zen_agents.packages.advisories.answer import Answer
from zen_agents.packages.package import Ecosystem, Package, package

NOW = datetime(2026, 1, 7, 12, tzinfo=UTC)
LODASH = package(Ecosystem.NPM, "lodash", "4.17.20", "/a")


@pytest.fixture
def registry() -> Iterator[NpmRegistry]:
    with npm_registry() as running:
        running.advisories["lodash"] = [advisory(1, "<4.17.21"), advisory(2, ">=4.17.21")]
        yield running


def ask(registry: NpmRegistry, folder: Path, *packages: Package, at: datetime = NOW) -> Answer:
    cache = AdvisoryCache(folder / "state", at)
    try:
        return advisories_npm.NpmRegistry(f"{registry.url}/", cache, at, timedelta(hours=6)).ask(packages)
    finally:
        cache.close()


def ids(answer: Answer) -> list[str]:
    return sorted(each.advisory for each in answer.findings)


def test_one_question_is_asked_and_what_it_answers_is_judged_here(registry: NpmRegistry, tmp_path: Path) -> None:
    newer = package(Ecosystem.NPM, "lodash", "4.17.21", "/b")
    answer = ask(registry, tmp_path, LODASH, newer, package(Ecosystem.NPM, "@s/fine", "1.0.0", "/a"), pypi("lodash", "1"))
    assert [(each.package, each.advisory, each.fixed_in, each.severity.score) for each in answer.findings] == [
        (LODASH, "GHSA-0001-aaaa-bbbb", "4.17.21", 9.8), (newer, "GHSA-0002-aaaa-bbbb", "", 9.8)
    ]  # fmt: skip
    assert registry.asked == [(BULK, {"@s/fine": ["1.0.0"], "lodash": ["4.17.20", "4.17.21"]})]
    assert (answer.unknown, answer.as_of, answer.ecosystems) == ((), NOW, {Ecosystem.NPM})


def test_what_was_answered_is_kept_with_its_age(registry: NpmRegistry, tmp_path: Path) -> None:
    first = ask(registry, tmp_path, LODASH)
    soon = ask(registry, tmp_path, LODASH, at=NOW + timedelta(hours=6))
    assert (soon.findings, soon.as_of, len(registry.asked)) == (first.findings, NOW, 1)
    registry.instead = Reply(503, b"")
    late = ask(registry, tmp_path, LODASH, package(Ecosystem.NPM, "a", "1.0.0", "/a"), at=NOW + timedelta(days=2))
    assert (ids(late), late.as_of) == (ids(first), NOW)
    assert "packages of npm that stay unknown: 2; told as it was up to 2 d ago: 1" in late.unknown[0].why


@pytest.mark.parametrize(
    ("instead", "why"),
    [
        (Reply(200, b"<html>log in</html>"), "does not answer as a registry of npm does"),
        (Reply(200, b'{"error": "nothing here"}'), "does not answer as a registry of npm does"),
        (Reply(404, b""), "answers with status 404"),
        (Reply(200, b'{"lodash": []}', cut=3), "broke off its answer"),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/"}), "answers with status 302"),
    ],
)
def test_a_registry_that_answers_something_else_leaves_it_unknown(
    registry: NpmRegistry, tmp_path: Path, instead: Reply, why: str
) -> None:
    registry.instead = instead
    answer = ask(registry, tmp_path, LODASH)
    (unknown,) = answer.unknown
    assert (answer.findings, why in unknown.why) == ((), True)
    assert "packages of npm that stay unknown: 1" in unknown.why


def test_a_range_that_is_not_understood_is_unknown_of_that_package(registry: NpmRegistry, tmp_path: Path) -> None:
    registry.advisories["lodash"] = [advisory(1, "^4.0.0"), advisory(2, "<5.0.0")]
    answer = ask(registry, tmp_path, LODASH)
    assert ids(answer) == ["GHSA-0002-aaaa-bbbb"]
    assert [(each.package, "'^4.0.0' is no range" in each.why) for each in answer.unknown] == [(LODASH, True)]


# -- beside npm itself ------------------------------------------------------------------------------------------------
def a_lock(folder: Path, version: int, packages: dict[str, str]) -> Path:
    """Write a project of npm that has these, as npm of the time wrote them."""
    manifest = {"name": "mine", "version": "1.0.0", "dependencies": packages}
    places = {f"node_modules/{name}": {"version": each} for name, each in packages.items()}
    tree = {name: {"version": each} for name, each in packages.items()}
    parts = {1: {"dependencies": tree}, 2: {"packages": {"": manifest, **places}, "dependencies": tree},
             3: {"packages": {"": manifest, **places}}}  # fmt: skip
    (folder / "package.json").write_text(json.dumps(manifest))
    lock = folder / "package-lock.json"
    lock.write_text(
        json.dumps({"name": "mine", "version": "1.0.0", "lockfileVersion": version, "requires": True, **parts[version]})
    )
    return lock


def audited_by_npm(registry: NpmRegistry, lock: Path, home: Path) -> set[tuple[str, str]]:
    """Return what `npm audit` says: package and address of the advisory."""
    done = subprocess.run(
        ["npm", "audit", "--json", "--package-lock-only", f"--registry={registry.url}", "--no-update-notifier"],
        cwd=lock.parent, env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    report: dict[str, Any] = json.loads(done.stdout)
    return {
        (name, via["url"].rpartition("/")[2])
        for name, weakness in report["vulnerabilities"].items() for via in weakness["via"] if isinstance(via, dict)
    }  # fmt: skip


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
@pytest.mark.parametrize("version", [1, 2, 3])
def test_the_same_pairs_as_npm_audit(registry: NpmRegistry, tmp_path: Path, version: int) -> None:
    packages = {"lodash": "4.17.20", "minimist": "1.2.5", "@scope/thing": "2.0.0-rc.1", "fine": "1.0.0"}
    registry.versions = {name: ("0.1.0", each, "9.0.0") for name, each in packages.items()}
    registry.advisories |= {
        "minimist": [advisory(3, "<0.2.4 || >=1.0.0 <1.2.6"), advisory(4, "=1.2.4")],
        "@scope/thing": [advisory(5, "<2.0.0"), advisory(6, ">=2.0.0")],
        "fine": [advisory(7, ">1.0.0")],
    }
    lock = a_lock(tmp_path, version, packages)
    ours = {(each.package.name, each.advisory) for each in ask(registry, tmp_path, *read_npm_lock(lock).packages).findings}
    assert ours == audited_by_npm(registry, lock, tmp_path)
    assert len(ours) == 3
