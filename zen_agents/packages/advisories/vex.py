"""What somebody who knows says of a weakness in a product (VEX): whether it is affected, and why not.

A statement is about the products that it names and no other: of another version, in another environment, it says nothing.
Who says that something is not affected has to say why, and who says that it is fixed has to say in which version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.package import Ecosystem, Package, normal_name

if TYPE_CHECKING:
    from packageurl import PackageURL


class VexStatus(StrEnum):
    """How a product stands to a weakness."""

    NOT_AFFECTED = "not affected"
    FIXED = "fixed"
    AFFECTED = "affected"
    UNDER_INVESTIGATION = "under investigation"


@dataclass(frozen=True, slots=True)
class Product:
    """What a statement is about: by package URLs, or by an environment as our bills of materials or `file:` URLs name it."""

    #: Each of them says what it is.
    ids: tuple[str, ...]
    #: If there are any, the statement is about these in it alone; each by its own ids.
    parts: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One weakness in some products, by one author."""

    #: All names of the weakness that are said.
    names: frozenset[str]
    products: tuple[Product, ...]
    status: VexStatus
    #: Why it is so, "" if it is not said.
    reason: str
    at: datetime
    #: The document that has it.
    source: str

    @property
    def excuses(self) -> bool:
        """Tell whether the weakness does not count where the statement is about it."""
        return self.status is VexStatus.FIXED or (self.status is VexStatus.NOT_AFFECTED and bool(self.reason))

    def is_about(self, finding: Finding, beside: Sequence[Package]) -> bool:
        """Tell whether it is about this finding; `beside` is all that the environment of its package has."""
        return bool(self.names & finding.names) and any(self._has(each, finding.package, beside) for each in self.products)

    def _has(self, product: Product, package: Package, beside: Sequence[Package]) -> bool:
        is_fix = self.status is VexStatus.FIXED
        if not product.parts:
            return any(_names(id, package, with_version=is_fix) for id in product.ids)
        is_here = any(_names(id, each) for id in product.ids for each in beside)
        return is_here and any(_names(id, package, with_version=is_fix) for part in product.parts for id in part)


class Statements:
    """All that is said; of several statements about the same the latest counts, of one moment the last."""

    def __init__(self, statements: Sequence[Statement] = ()) -> None:
        self._all = sorted(statements, key=lambda each: each.at)
        #: Their places among all, by each name of the weakness.
        self._by_name: dict[str, list[int]] = {}
        for place, statement in enumerate(self._all):
            for name in statement.names:
                self._by_name.setdefault(name, []).append(place)

    def about(self, finding: Finding, by_place: Mapping[str, Sequence[Package]]) -> Statement | None:
        """Return what counts for a finding; `by_place` is what each environment has."""
        beside = by_place.get(finding.package.where, ())
        places = {place for name in finding.names for place in self._by_name.get(name, ())}
        latest_first = (self._all[place] for place in sorted(places, reverse=True))
        return next((each for each in latest_first if each.is_about(finding, beside)), None)


_PURL: Final = "pkg:"
_ECOSYSTEMS: Final = {"pypi": Ecosystem.PYPI, "deb": Ecosystem.DEBIAN, "npm": Ecosystem.NPM}
_SOURCE: Final = "source"


@lru_cache(maxsize=4096)
def _purl(text: str) -> PackageURL | None:
    from packageurl import PackageURL  # noqa: PLC0415  20 ms, where somebody said something

    try:
        return PackageURL.from_string(text)
    except ValueError:
        return None


def _names(id: str, package: Package, *, with_version: bool = False) -> bool:
    """Tell whether an id names a package, or the environment that has it; `with_version`: only if it says which version."""
    if not id.startswith(_PURL):
        return not with_version and id in (f"environment:{package.ecosystem}:{package.where}", Path(package.where).as_uri())
    purl = _purl(id)
    if purl is None or _ECOSYSTEMS.get(purl.type) is not package.ecosystem or (with_version and not purl.version):
        return False
    asked = dict(purl.qualifiers) if isinstance(purl.qualifiers, dict) else {}
    if package.ecosystem is Ecosystem.DEBIAN and asked.get("arch") == _SOURCE:
        name, version, architecture = package.source, package.source_version, _SOURCE
    else:
        name, version, architecture = package.name, package.version, package.architecture
    own = {"arch": architecture, "distro": package.distribution.release}
    return (
        normal_name(package.ecosystem, _full_name(purl, package)) == name
        and purl.version in (None, "", version)
        # What cannot be compared is not the same.
        and all(own.get(key) == value for key, value in asked.items())
    )


def _full_name(purl: PackageURL, package: Package) -> str:
    """Return the name as the ecosystem has it; of a Debian package that another vendor made, none that there is."""
    if package.ecosystem is Ecosystem.DEBIAN:
        return purl.name if purl.namespace == (package.distribution.name or "debian") else ""
    return f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name
