"""Which of two versions is the later one, by the rules of their ecosystem.

What orders them is loaded when the first version of an ecosystem is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from zen_agents.first_use import load
from zen_agents.packages.package import Ecosystem


class InvalidVersionError(ValueError):
    """This is no version of its ecosystem, so it has no place in the order; whatever rests on it is unknown."""


class VersionKey(Protocol):
    """Stands for a version where versions are compared; equal keys are versions that mean the same."""

    def __lt__(self, other: Any, /) -> bool: ...

    def __le__(self, other: Any, /) -> bool: ...


_MODULES: Final[Mapping[Ecosystem, str]] = {
    Ecosystem.PYPI: "zen_agents.packages.versions.pypi",
    Ecosystem.DEBIAN: "zen_agents.packages.versions.debian",
    Ecosystem.NPM: "zen_agents.packages.versions.npm",
}


def key_of(ecosystem: Ecosystem) -> Callable[[str], VersionKey]:
    """Return what makes keys of an ecosystem's versions; it raises InvalidVersionError for what is none.

    Raises ModuleNotFoundError if the library that knows the order is not installed (extra `packages`).
    """
    found: Callable[[str], VersionKey] = load(f"{_MODULES[ecosystem]}:key")
    return found


def leading_numbers(ecosystem: Ecosystem, version: str) -> tuple[int, ...]:
    """Return a version's epoch (0 where there is none) and the numbers that it begins with, which may be none.

    Raises what `key_of` and its keys raise.
    """
    found: tuple[int, ...] = load(f"{_MODULES[ecosystem]}:leading_numbers")(version)
    return found
