"""A package is the same however its name is written, and its package URL is one that others read."""

from __future__ import annotations

import pytest
from packageurl import PackageURL

from zen_agents.packages.package import Distribution, Ecosystem, Package, Problem, package


@pytest.mark.parametrize(
    ("ecosystem", "written", "name"),
    [
        (Ecosystem.PYPI, "Flask_SQLAlchemy", "flask-sqlalchemy"),
        (Ecosystem.PYPI, "zope.-_interface", "zope-interface"),
        (Ecosystem.NPM, "@Types/Node", "@Types/Node"),
    ],
)
def test_names_that_differ_in_what_does_not_count(ecosystem: Ecosystem, written: str, name: str) -> None:
    made = package(ecosystem, written, "1.0", "/srv")
    assert (made.name, made.source, made.source_version) == (name, name, "1.0")


def test_a_package_url_says_the_same_to_others() -> None:
    debian = Package(
        Ecosystem.DEBIAN, "libstdc++6", "1:12.2.0-14+deb12u1~x", "/", "gcc-12", "12.2.0-14", "amd64",
        Distribution("debian", "bookworm"),
    )  # fmt: skip
    read = PackageURL.from_string(debian.purl)
    assert (read.type, read.namespace, read.name, read.version) == ("deb", "debian", "libstdc++6", "1:12.2.0-14+deb12u1~x")
    assert read.qualifiers == {"arch": "amd64", "distro": "bookworm"}
    for each in (
        debian,
        package(Ecosystem.NPM, "@types/node", "20.1.0", "/srv"),
        package(Ecosystem.PYPI, "a_b", "1+x", "/"),
    ):
        assert PackageURL.from_string(each.purl).to_string() == each.purl
    assert PackageURL.from_string(package(Ecosystem.NPM, "@types/node", "1.0.0", "/").purl).namespace == "@types"


def test_a_debian_that_does_not_say_which_it_is() -> None:
    assert Package(Ecosystem.DEBIAN, "sl", "5-1", "/", "sl", "5-1").purl == "pkg:deb/debian/sl@5-1"


def test_a_problem_says_where_it_is() -> None:
    assert str(Problem("/a", "is not there")) == "/a is not there"
    assert str(Problem("/a", "is no requirement", 3)) == "/a:3 is no requirement"
