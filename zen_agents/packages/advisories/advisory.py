"""One advisory as its publisher wrote it, in the terms of the OSV schema."""

from __future__ import annotations

from enum import StrEnum

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.severity import Severity
from zen_agents.packages.package import Ecosystem


class MalformedAdvisoryError(ValueError):
    """What should be an advisory is none; which packages it would have named is unknown."""


class Bound(StrEnum):
    """What happens to the weakness at a version, in the order of versions."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Event:
    """A version at which something begins or ends; `0` is before every version."""

    bound: Bound
    version: str


@dataclass(frozen=True, slots=True)
class Affected:
    """One package that is named, with ranges of its versions or single ones; without both it is not said which."""

    ecosystem: Ecosystem
    #: As its ecosystem normalises it.
    name: str
    ranges: tuple[tuple[Event, ...], ...] = ()
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advisory:
    """A weakness, what it is called, and whom it affects."""

    id: str
    #: What others call the same weakness.
    aliases: frozenset[str]
    affected: tuple[Affected, ...]
    summary: str = ""
    severity: Severity = Severity()
    #: Its publisher took it back: it affects nobody.
    is_withdrawn: bool = False
