"""What a source of advisories answers about packages: what it knows of, what it could not tell, and how old that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Protocol

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.package import Ecosystem, Package


@dataclass(frozen=True, slots=True)
class Exploited:
    """Somebody was attacked by it."""

    #: When it came into the catalogue.
    since: date
    #: By which day authorities of the United States have to be rid of it.
    due: date | None
    is_used_by_ransomware: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A package has a known weakness."""

    package: Package
    #: The advisory's own name of it, and those that others gave it.
    advisory: str
    aliases: frozenset[str]
    severity: Severity
    #: The least later version without it, "" if none is named.
    fixed_in: str
    summary: str
    source: str
    #: None if nobody is known to use it, or nobody was asked.
    exploited: Exploited | None = None

    @property
    def names(self) -> frozenset[str]:
        """Return every name of the weakness."""
        return self.aliases | {self.advisory}


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that could not be told; never the same as that there is nothing."""

    source: str
    why: str
    #: What it is about; None for everything that was asked.
    package: Package | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One source's answer."""

    source: str
    ecosystems: frozenset[Ecosystem]
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    #: When the oldest part of what it rests on was fetched or written; None if there is nothing that it rests on.
    as_of: datetime | None


#: Told how far a source is: what it does, how much of it is done, and of how much, 0 if that is not known.
Told = Callable[[str, int, int], None]


def nobody(what: str, done: int, of: int) -> None:
    """Tell nobody."""
    del what, done, of


class AdvisorySource(Protocol):
    """Whoever knows of weaknesses in packages."""

    def ask(self, packages: Sequence[Package]) -> Answer:
        """Return what is known of those packages whose ecosystem it knows; it never raises: a failure is an unknown."""
