"""A package as its ecosystem knows it, and what an environment holds of them.

What could not be read stands in an inventory as a problem: a package that is missing for a reason is never simply missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import quote

from zen_agents.dataclass import dataclass


class Ecosystem(StrEnum):
    """Who names packages and orders their versions."""

    PYPI = "pypi"
    DEBIAN = "debian"
    NPM = "npm"


@dataclass(frozen=True, slots=True)
class Distribution:
    """Which Debian, or what was made of it: `ID` and `VERSION_CODENAME` of os-release, empty if it does not say."""

    name: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of one version; equal packages are the same thing in the same place."""

    ecosystem: Ecosystem
    #: As its ecosystem writes it (`normal_name`).
    name: str
    #: As it is written there, which need not be a version that can be ordered.
    version: str
    #: The environment that has it: an absolute path.
    where: str
    #: What a Debian package was built from, which is what advisories name; the package itself in other ecosystems.
    source: str
    source_version: str
    #: Of a Debian package, like `amd64`.
    architecture: str = ""
    distribution: Distribution = Distribution()

    @property
    def purl(self) -> str:
        """Return the package URL, which says what it is wherever it lies."""
        name, version = quote(self.name, safe="/"), quote(self.version, safe=":")
        if self.ecosystem is not Ecosystem.DEBIAN:
            return f"pkg:{self.ecosystem}/{name}@{version}"
        marks = (("arch", self.architecture), ("distro", self.distribution.release))
        qualifiers = "&".join(f"{key}={quote(value, safe='')}" for key, value in marks if value)
        vendor = quote(self.distribution.name or "debian", safe="")
        return f"pkg:deb/{vendor}/{name}@{version}{'?' if qualifiers else ''}{qualifiers}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of an environment that could not be read or told."""

    path: str
    #: A sentence without its subject, the path: `is no directory; name another`.
    why: str
    #: Where in the file, from 1; 0 if it is about the whole.
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}{f':{self.line}' if self.line else ''} {self.why}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What one environment holds, by name; complete only if there are no problems."""

    #: An absolute path: a virtual environment, a lock file, the root of a Debian host.
    environment: str
    ecosystem: Ecosystem
    packages: tuple[Package, ...]
    problems: tuple[Problem, ...] = ()


def inventory(
    environment: Path, ecosystem: Ecosystem, packages: Iterable[Package], problems: Iterable[Problem]
) -> Inventory:
    """Return what an environment holds, each package once and by name."""
    ordered = sorted(set(packages), key=lambda each: (each.name, each.version, each.architecture))
    return Inventory(str(environment), ecosystem, tuple(ordered), tuple(problems))


def twice(packages: Iterable[Package]) -> Iterator[Problem]:
    """Say which packages have several versions in a place that can have one of each: nobody knows which is in use."""
    ordered = sorted(packages, key=lambda each: (each.name, each.version))
    for one, other in pairwise(ordered):
        if one.name == other.name and one.version != other.version:
            yield Problem(other.where, f"has {one.name} in two versions, {one.version} and {other.version}")


_SEPARATORS: Final = re.compile(r"[-_.]+")
_NAMES: Final = {
    Ecosystem.PYPI: re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"),
    Ecosystem.DEBIAN: re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*"),
    # Old ones have all that an address can hold.
    Ecosystem.NPM: re.compile(r"(?:@[!-.0-~]+/)?[!-.0-~]+"),
}


def is_name(ecosystem: Ecosystem, name: str) -> bool:
    """Tell whether a package of this ecosystem could be called so."""
    return _NAMES[ecosystem].fullmatch(name) is not None


def normal_name(ecosystem: Ecosystem, name: str) -> str:
    """Return the one name of all that an ecosystem takes for the same, which for npm is the name itself."""
    if ecosystem is Ecosystem.PYPI:
        return _SEPARATORS.sub("-", name).lower()
    return name.lower() if ecosystem is Ecosystem.DEBIAN else name


def package(ecosystem: Ecosystem, name: str, version: str, where: str) -> Package:
    """Return a package that is its own source: one of Python or npm."""
    normal = normal_name(ecosystem, name)
    return Package(ecosystem, normal, version, where, source=normal, source_version=version)
