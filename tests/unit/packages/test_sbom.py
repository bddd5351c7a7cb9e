"""A bill of materials is what the official schema of CycloneDX takes, and says where it is not complete."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support.schemas import faults_of_cyclonedx
from zen_agents.packages.package import Distribution, Ecosystem, Package, Problem, inventory, package
from zen_agents.packages.sbom import bill_of_materials

HOST = inventory(
    Path("/"), Ecosystem.DEBIAN,
    [Package(Ecosystem.DEBIAN, "g++", "4:12-3", "/", "gcc", "1.2", "amd64", Distribution("debian", "bookworm"))], [],
)  # fmt: skip
VENV = inventory(Path("/srv/venv"), Ecosystem.PYPI, [package(Ecosystem.PYPI, "Flask", "3.0", "/srv/venv")], [])
NPM = inventory(
    Path("/srv/package-lock.json"), Ecosystem.NPM,
    [package(Ecosystem.NPM, "@types/node", "20.1.0", "/srv/package-lock.json")],
    [Problem("/srv/package-lock.json", "has a package without a name", 3)],
)  # fmt: skip
AGAIN = inventory(Path("/opt/venv"), Ecosystem.PYPI, [package(Ecosystem.PYPI, "flask", "3.0", "/opt/venv")], [])


def bill(*found: Any) -> Any:
    at, serial = datetime(2026, 1, 7, 8, 0, tzinfo=UTC), UUID("0a2b8c1e-5a5f-4d4e-9d53-6f7f2f4f2b11")
    return bill_of_materials(found, host="web-07", at=at, serial=serial, tool_version="1.0.0")


def test_the_official_schema_takes_it() -> None:
    made = bill(HOST, VENV, NPM, AGAIN)
    assert faults_of_cyclonedx(made) == []
    assert faults_of_cyclonedx({**made, "components": [{"name": "x"}]})
    assert faults_of_cyclonedx(bill()) == []


def test_each_package_stands_in_it_once_below_each_environment_that_has_it() -> None:
    made = bill(HOST, VENV, NPM, AGAIN)
    flask = "pkg:pypi/flask@3.0"
    libraries = [each for each in made["components"] if each["type"] == "library"]
    assert [(each.get("group"), each["name"], each["version"]) for each in libraries] == [
        (None, "g++", "4:12-3"), (None, "flask", "3.0"), ("@types", "node", "20.1.0"),
    ]  # fmt: skip
    below = {each["ref"]: each["dependsOn"] for each in made["dependencies"]}
    assert below["environment:pypi:/srv/venv"] == below["environment:pypi:/opt/venv"] == [flask]
    assert len(below["host:web-07"]) == 4
    references = [each["bom-ref"] for each in made["components"]]
    assert len(set(references)) == len(references)


def test_what_could_not_be_read_makes_it_incomplete_and_is_said() -> None:
    made = bill(VENV, NPM)
    assert [each["aggregate"] for each in made["compositions"]] == ["complete", "incomplete"]
    (note,) = made["annotations"]
    assert note["text"] == "/srv/package-lock.json:3 has a package without a name"
    assert note["subjects"] == made["compositions"][1]["dependencies"]
