"""Environments and hosts with planted versions, and advisories about them that are true by how they were made.

Every version of a package has a place in a row; an advisory is about those from one place up to another. So who is affected
is known without comparing versions, and whoever compares them is held to it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.support.advisories import feed, record
from tests.support.environments import a_dpkg_root, a_venv, installed
from tests.support.osv_server import OsvServer

#: In the order of PEP 440.
VERSIONS: Final = (
    "0.9", "1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.2", "1.10", "2.0rc1", "2.0", "2.0.0.1",
    "2!0.1",
)  # fmt: skip
#: In dpkg's order.
DEBIAN_VERSIONS: Final = (
    "0.9-1", "1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1+deb12u1", "1.0-1+deb12u2", "1.0-2", "1.0.1-1", "1.10-1",
    "1.10+dfsg-1", "2.0-1", "1:0.5-1",
)  # fmt: skip


def package_name(number: int) -> str:
    """Return the name of a package as its author writes it: names that differ in case and dashes are the same."""
    return (f"Planted_{number}", f"planted.{number}", f"planted-{number}")[number % 3]


def plant_advisories(server: OsvServer, chance: random.Random, packages: int) -> int:
    """Tell a server of weaknesses in so many packages: with aliases, several ranges, single versions, some withdrawn."""
    count = 0
    for number in range(packages):
        for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
            count += 1
            places = sorted(chance.sample(range(len(VERSIONS) + 1), 4 if chance.random() < 0.3 else 2))
            affected = [place for begin, end in _pairs(places) for place in range(begin, end)]
            more = {} if chance.random() < 0.6 else {"versions": [VERSIONS[place] for place in affected]}
            if chance.random() < 0.1:
                more["withdrawn"] = "2026-01-01T00:00:00Z"
            names = [f"PYSEC-2026-{count}", f"CVE-2026-{10_000 + count}"]
            ranges = [_range(begin, end) for begin, end in _pairs(places)]
            versions = [VERSIONS[place] for place in affected]
            server.knows(record(names[0], f"planted-{number}", *ranges, aliases=names[1:], **more), *versions)
            if chance.random() < 0.3:
                other = record(f"GHSA-{count:04d}-aaaa-bbbb", f"planted-{number}", *ranges, aliases=names[1:])
                server.knows(other, *versions)
    return count


def _pairs(places: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(places[::2], places[1::2], strict=True))


def _range(begin: int, end: int) -> list[dict[str, str]]:
    first = {"introduced": "0" if begin == 0 else VERSIONS[begin]}
    return [first, {"fixed": VERSIONS[end]}] if end < len(VERSIONS) else [first]


def plant_environment(folder: Path, chance: random.Random, packages: int, *, of: int) -> Path:
    """Make a virtual environment with so many of the packages; return its site-packages."""
    chosen = chance.sample(range(of), packages)
    return a_venv(folder, {package_name(number): chance.choice(VERSIONS) for number in chosen})


def planted_feed(chance: random.Random, packages: int) -> bytes:
    """Return a feed of Debian's tracker about so many source packages, and binary ones of them."""
    names = [f"CVE-2026-{number},{chance.choice('LMH? ')}{chance.choice('R? ')},weakness {number}" for number in range(200)]
    entries = []
    for number in range(packages):
        for _ in range(chance.choice((0, 1, 2, 4))):
            kind, package = chance.choice((("S", f"src{number}"), ("S", f"src{number}"), ("B", f"lib{number}")))
            fixed = chance.choice(("", *DEBIAN_VERSIONS))
            others = " ".join(chance.sample(DEBIAN_VERSIONS, chance.choice((0, 0, 1, 2))))
            flags = f"{kind}{chance.choice(' LMH')}{chance.choice(' R?')}{chance.choice(' F')}"
            entries.append(f"{package},{chance.randrange(len(names))},{flags},{fixed},{others}")
    return feed(entries, names)


def plant_host(folder: Path, chance: random.Random, packages: int, *, of: int) -> Path:
    """Make the root of a Debian host with so many packages, some built from a source of another version; return its list."""
    paragraphs = []
    for number in sorted(chance.sample(range(of), packages)):
        version, source_version = chance.choice(DEBIAN_VERSIONS), chance.choice(DEBIAN_VERSIONS)
        source = chance.choice(("", f"Source: src{number}\n", f"Source: src{number} ({source_version})\n"))
        paragraphs.append(installed(f"lib{number}", version, more=source))
    return a_dpkg_root(folder, *paragraphs)
