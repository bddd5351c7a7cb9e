"""Debian's security tracker in the feed that debsecan reads (`VERSION 1`): which packages of a release are affected."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.packages.advisories.advisory import MalformedAdvisoryError
from zen_agents.packages.advisories.severity import Rating
from zen_agents.packages.package import Package
from zen_agents.packages.versions.debian import Key, key

#: Unpacked; the largest feeds have a tenth of it.
_MOST_BYTES: Final = 256 << 20
_HEAD: Final = "VERSION 1"
_URGENCY: Final = {" ": Rating.UNKNOWN, "L": Rating.LOW, "M": Rating.MEDIUM, "H": Rating.HIGH}


@dataclass(frozen=True, slots=True)
class Entry:
    """A weakness of one package: versions before `fixed`, but for those in which it was fixed separately.

    Without `fixed` every version has it that is not among those.
    """

    id: str
    summary: str
    package: str
    #: The name is also that of a binary package.
    is_binary: bool
    fixed: str
    fixed_separately: tuple[str, ...]
    rating: Rating
    #: The release has a version without it.
    is_fix_available: bool

    def affects(self, package: Package) -> bool:
        """Tell whether a Debian package has it, as debsecan tells it; InvalidVersionError if versions cannot be compared."""
        if self.is_binary and package.name == self.package:
            return not self.fixed or key(package.version) < key(self.fixed)
        if package.source != self.package:
            return False
        installed = key(package.source_version)
        if self.fixed and installed >= key(self.fixed):
            return False
        return installed not in [key(each) for each in self.fixed_separately]

    def fixed_in(self, package: Package) -> str:
        """Return the least later version without it, "" if the release has none."""
        if not self.is_fix_available:
            return ""
        installed = _installed(self, package)
        named = (*self.fixed_separately, self.fixed)
        return min((each for each in named if each and key(each) > installed), key=key, default="")


def _installed(entry: Entry, package: Package) -> Key:
    by_binary = entry.is_binary and package.name == entry.package
    return key(package.version if by_binary else package.source_version)


class Feed:
    """What the tracker says of one release."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[str, list[Entry]] = {}
        for entry in entries:
            self._entries.setdefault(entry.package, []).append(entry)

    def of(self, package: Package) -> list[Entry]:
        """Return what may affect a package: as debsecan, what its source has, only else what itself has."""
        return self._entries.get(package.source) or self._entries.get(package.name, [])


def feed_of(packed: bytes) -> Feed:
    """Return the feed; MalformedAdvisoryError if it is none, is cut off, or unpacks to more than 256 MiB."""
    lines = iter(enumerate(_unpacked(packed).split("\n"), 1))
    if next(lines)[1] != _HEAD:
        raise MalformedAdvisoryError(f"is no feed of debsecan: it does not begin with {_HEAD!r}")
    try:
        names = [_name(line) for line in _part(lines)]
        return Feed([_entry(line, names) for line in _part(lines)])
    except (ValueError, LookupError):
        after, _ = next(lines, (0, ""))
        where = f"at line {after - 1}" if after else "at its end"
        raise MalformedAdvisoryError(f"is no feed of debsecan {where}") from None


def _part(lines: Iterable[tuple[int, str]]) -> Iterable[str]:
    """Yield the lines up to an empty one; ValueError if the text ends before it."""
    for _, line in lines:
        if not line:
            return
        yield line
    raise ValueError


def _name(line: str) -> tuple[str, str]:
    """Return what a weakness is called and what it is."""
    name, _, summary = line.split(",", 2)
    return name, summary


def _entry(line: str, names: Sequence[tuple[str, str]]) -> Entry:
    package, number, flags, fixed, separately = line.split(",", 4)
    place = int(number)
    if place < 0:
        raise ValueError(line)
    name, summary = names[place]
    versions = tuple(each for each in separately.split(" ") if each)
    return Entry(
        name, summary, package, flags[0] == "B", fixed, versions, _URGENCY[flags[1]], is_fix_available=flags[3] == "F"
    )


def _unpacked(packed: bytes) -> str:
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(packed, _MOST_BYTES)
    except zlib.error as error:
        raise MalformedAdvisoryError(f"is no feed of debsecan: {error}") from None
    if not unpacking.eof:
        more = f"unpacks to more than {_MOST_BYTES >> 20} MiB" if unpacking.unconsumed_tail else "is cut off"
        raise MalformedAdvisoryError(more)
    return text.decode("utf-8", "replace")
