"""Semantic Versioning 2.0, which npm holds every published version to; what a build adds does not count."""

from __future__ import annotations

from semver import Version

from zen_agents.packages.versions.order import InvalidVersionError


def key(version: str) -> Version:
    """Return what orders a version of an npm package."""
    try:
        return Version.parse(version)
    except ValueError:
        raise InvalidVersionError(f"{version[:80]!r} is no semantic version") from None


def leading_numbers(version: str) -> tuple[int, ...]:
    """See `order.leading_numbers`."""
    read = key(version)
    return 0, read.major, read.minor, read.patch
