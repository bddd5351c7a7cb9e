"""Ranges of versions as npm's registry writes them: they hold what npm's own library says they hold."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.npm import RegistryAdvisory, advisories_of, finding_of, holds
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.package import Ecosystem, Package, package
from zen_agents.packages.versions.order import InvalidVersionError

_OF_NPM = """
const semver = require(process.argv[1])
const pairs = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const options = { includePrerelease: true, loose: true }
console.log(JSON.stringify(pairs.map(([version, range]) => semver.satisfies(version, range, options))))
"""


def lodash(version: str) -> Package:
    return package(Ecosystem.NPM, "lodash", version, "/a/package-lock.json")


def found(version: str, range: str, **more: object) -> tuple[str, str] | None:
    given = {"id": 7, "url": "https://github.com/advisories/GHSA-jf85-cpcp-j695", "vulnerable_versions": range, **more}
    finding = finding_of(lodash(version), RegistryAdvisory.model_validate(given), "npm")
    return (finding.advisory, finding.fixed_in) if finding else None


@pytest.mark.parametrize(
    ("range", "inside", "outside", "fixed_in"),
    [
        ("<4.17.21", "4.17.20", "4.17.21", "4.17.21"),
        (">=4.0.0 <4.17.21", "4.0.0", "3.9.9", "4.17.21"),
        (">= 4.0.0 < 4.1.0", "4.0.5", "4.1.0", "4.1.0"),
        ("<=4.17.20", "4.17.20", "4.17.21", ""),
        ("=4.1.0", "4.1.0", "4.1.1", ""),
        ("4.1.0 - 4.2.0", "4.2.0", "4.2.1", ""),
        ("<1.0.1 || >=2.0.0 <2.1.0", "2.0.9", "1.0.1", "2.1.0"),
        ("<2.0.0 || <3.0.0", "1.0.0", "3.0.0", "3.0.0"),
        ("<2.0.0-rc.1", "2.0.0-beta.9", "2.0.0-rc.1", "2.0.0-rc.1"),
    ],
)
def test_what_a_range_holds_and_where_it_ends(range: str, inside: str, outside: str, fixed_in: str) -> None:
    assert found(inside, range) == ("GHSA-jf85-cpcp-j695", fixed_in)
    assert found(outside, range) is None


@pytest.mark.parametrize("range", ["*", "", ">=0.0.0"])
def test_a_range_of_everything(range: str) -> None:
    assert found("0.0.1", range) == ("GHSA-jf85-cpcp-j695", "")


def test_an_advisory_without_a_range_is_about_every_version_and_one_without_an_address_has_its_number() -> None:
    finding = finding_of(lodash("1.0.0"), RegistryAdvisory.model_validate({"id": 7, "severity": "moderate"}), "npm")
    assert finding is not None
    assert (finding.advisory, finding.severity.rating) == ("npm:7", Rating.MEDIUM)


@pytest.mark.parametrize(
    ("version", "range"), [("1.0.0", "^1.2.3"), ("1.0.0", "1.x"), ("1.0.0", "<4"), ("1", "<4.0.0"), ("1.0.0", "<")]
)
def test_what_cannot_be_compared_is_undecided(version: str, range: str) -> None:
    with pytest.raises(InvalidVersionError):
        holds(range, version)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"a": 7}', b'{"a": [{"title": "no id"}]}', b'{"error": "x"}'])
def test_what_no_registry_answers_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedAdvisoryError, match="registry of npm"):
        advisories_of(content)


def _semver() -> str:
    npm = shutil.which("npm")
    place = Path(npm).resolve().parents[1] / "node_modules" / "semver" if npm else Path("/none")
    if not place.is_dir() or shutil.which("node") is None:
        pytest.skip("needs npm, whose library it is held to")
    return str(place)


def test_ranges_hold_what_npms_own_library_says() -> None:
    chance = random.Random(7)

    def version() -> str:
        numbers = ".".join(str(chance.randrange(4)) for _ in range(3))
        return numbers + chance.choice(["", "", "", "-rc.1", "-rc.2", "-alpha", "+build"])

    def comparators() -> str:
        if chance.random() < 0.2:
            return f"{version()} - {version()}"
        space = chance.choice(["", " "])
        return " ".join(
            f"{chance.choice(['<', '<=', '>', '>=', '=', ''])}{space}{version()}" for _ in range(chance.randrange(1, 3))
        )

    pairs = [(version(), " || ".join(comparators() for _ in range(chance.randrange(1, 3)))) for _ in range(2000)]
    said = subprocess.run(
        ["node", "-e", _OF_NPM, _semver()], input=json.dumps(pairs), capture_output=True, text=True, check=True, timeout=60
    ).stdout
    different = [pair for pair, theirs in zip(pairs, json.loads(said), strict=True) if holds(pair[1], pair[0]) is not theirs]
    assert different == []
