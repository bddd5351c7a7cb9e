"""Advisories as npm's registry answers them to `npm audit`, and the ranges of versions that these are about.

A range is what npm's own library takes it for, prereleases included, as `npm audit` asks it. Ranges of another form, which
advisories do not use (`^1.2.3`, `1.x`), are not guessed at: whether they hold a version is undecided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.answer import Finding
from zen_agents.packages.advisories.severity import severity_of
from zen_agents.packages.package import Package
from zen_agents.packages.versions.npm import key
from zen_agents.packages.versions.order import InvalidVersionError, VersionKey

_GHSA: Final = re.compile(r"/(?P<id>GHSA(?:-[0-9a-z]{4}){3})$")
_ANY: Final = frozenset({"", "*"})
_EITHER: Final = "||"
_COMPARATOR: Final = re.compile(r"(?P<sign><=|>=|<|>|=|)\s*v?(?P<version>[0-9][0-9A-Za-z.+-]*)(?:\s+|$)")
_HYPHEN: Final = re.compile(r"(?P<least>\S+)\s+-\s+(?P<most>\S+)")
_SUMMARY_CHARACTERS: Final = 300

_HOLDS: Final[Mapping[str, Callable[[VersionKey, VersionKey], bool]]] = {
    "<": lambda version, bound: version < bound,
    "<=": lambda version, bound: version <= bound,
    ">": lambda version, bound: bound < version,
    ">=": lambda version, bound: bound <= version,
    "=": lambda version, bound: version == bound,
}


class RegistryCvss(BaseModel):
    """How bad it is; a score of 0 stands for none."""

    vector: str | None = Field(None, alias="vectorString")


class RegistryAdvisory(BaseModel):
    """One advisory about one package."""

    id: int | str
    url: str = ""
    title: str = ""
    severity: str = ""
    #: Without it npm takes every version to be affected.
    vulnerable_versions: str = "*"
    cvss: RegistryCvss | None = None

    @property
    def name(self) -> str:
        """Return the name that others give it as well, or the registry's own number."""
        found = _GHSA.search(self.url)
        return found["id"] if found else f"npm:{self.id}"


_Answer: Final = TypeAdapter(dict[str, list[RegistryAdvisory]])


def advisories_of(content: bytes) -> Mapping[str, Sequence[RegistryAdvisory]]:
    """Return what a registry answers, by package; MalformedAdvisoryError if this is no such answer."""
    try:
        return _Answer.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise MalformedAdvisoryError(f"does not answer as a registry of npm does: {first['msg']}") from None


def finding_of(package: Package, advisory: RegistryAdvisory, source: str) -> Finding | None:
    """Return the finding that an advisory is for a package, None if it is about other versions.

    Raises InvalidVersionError if that cannot be told.
    """
    fixed_in = _left_at(package.version, advisory.vulnerable_versions)
    if fixed_in is None:
        return None
    vectors = [advisory.cvss.vector] if advisory.cvss and advisory.cvss.vector else []
    summary = " ".join(advisory.title.split())[:_SUMMARY_CHARACTERS]
    return Finding(
        package, advisory.name, frozenset(), severity_of(vectors, advisory.severity), fixed_in, summary, source
    )  # fmt: skip


def holds(range: str, version: str) -> bool:
    """Tell whether a range has a version; InvalidVersionError if that cannot be told."""
    return _left_at(version, range) is not None


def _left_at(version: str, range: str) -> str | None:
    """Return at which version a range that holds this one ends, "" if it names none; None if it does not hold it."""
    installed = key(version)
    ends: list[str] = []
    for alternative in range.split(_EITHER):
        bounds = list(_bounds(alternative.strip(), range))
        if all(_HOLDS[sign](installed, key(bound)) for sign, bound in bounds):
            ends.append(min((bound for sign, bound in bounds if sign == "<"), key=key, default=""))
    if not ends:
        return None
    return max(ends, key=key) if all(ends) else ""


def _bounds(text: str, range: str) -> Iterator[tuple[str, str]]:
    if text in _ANY:
        return
    if between := _HYPHEN.fullmatch(text):
        text = f">={between['least']} <={between['most']}"
    at = 0
    while at < len(text):
        comparator = _COMPARATOR.match(text, at)
        if comparator is None:
            raise InvalidVersionError(f"{range[:80]!r} is no range of versions that is understood here")
        yield comparator["sign"] or "=", comparator["version"]
        at = comparator.end()


def answered(name: str, advisories: Sequence[RegistryAdvisory]) -> bytes:
    """Return an answer about one package as a registry writes it."""
    return _Answer.dump_json({name: [*advisories]}, by_alias=True)


def asked_of(packages: Sequence[Package]) -> Mapping[str, Sequence[str]]:
    """Return the question about packages, as `npm audit` asks it."""
    versions: dict[str, set[str]] = {}
    for package in packages:
        versions.setdefault(package.name, set()).add(package.version)
    return {name: sorted(of_it) for name, of_it in sorted(versions.items())}
