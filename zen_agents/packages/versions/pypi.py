"""PEP 440, by the library that pip itself uses."""

from __future__ import annotations

from packaging.version import Version

from zen_agents.packages.versions.order import InvalidVersionError


def key(version: str) -> Version:
    """Return what orders a version of a Python package."""
    try:
        return Version(version)
    except ValueError:
        raise InvalidVersionError(f"{version[:80]!r} is no version as PEP 440 has it") from None


def leading_numbers(version: str) -> tuple[int, ...]:
    """See `order.leading_numbers`."""
    read = key(version)
    return read.epoch, *read.release
