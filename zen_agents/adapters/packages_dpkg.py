"""What dpkg has installed below a root, from its own list, without running it.

A package counts as installed as long as files of it may be there: also one that dpkg was interrupted at, which is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from zen_agents.adapters.packages_reading import UnreadableError, text_of
from zen_agents.packages.package import Distribution, Ecosystem, Inventory, Package, Problem, inventory, is_name, normal_name

STATUS: Final = "var/lib/dpkg/status"
#: dpkg writes here what is not in its list yet; empty unless it runs or was interrupted.
_JOURNAL: Final = "var/lib/dpkg/updates"
_OS_RELEASE: Final = ("etc/os-release", "usr/lib/os-release")
_MOST_BYTES, _MOST_RELEASE_BYTES = 256 << 20, 64 << 10

_WANTED: Final = frozenset({"package", "status", "version", "architecture", "source"})
_GONE: Final = frozenset({"not-installed", "config-files"})
_INTERRUPTED: Final = frozenset({"half-installed", "unpacked", "half-configured"})
_SOURCE: Final = re.compile(r"(?P<name>\S+)(?:\s+\((?P<version>[^()\s]+)\))?")


def read_dpkg(root: Path) -> Inventory:
    """Return what dpkg has installed below `root`, an absolute path; whatever stays unknown is a problem of it."""
    where, status = str(root), root / STATUS
    path = str(status)
    problems: list[Problem] = []
    try:
        text = text_of(status, _MOST_BYTES, errors="replace")
    except UnreadableError as error:
        return inventory(root, Ecosystem.DEBIAN, (), (error.problem,))
    distribution = _distribution(root, problems)
    found: list[Package] = []
    for line, paragraph in _paragraphs(text, path, problems):
        try:
            package = _package(paragraph, where, distribution)
        except ValueError as error:
            problems.append(Problem(path, str(error), line))
            continue
        if package is None:
            continue
        found.append(package)
        if paragraph["status"].split()[2] in _INTERRUPTED:
            problems.append(Problem(path, f"has {package.name} half done; finish it: dpkg --configure -a", line))
    problems += _journal(root)
    return inventory(root, Ecosystem.DEBIAN, found, problems)


def _paragraphs(text: str, path: str, problems: list[Problem]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield the fields that count of each paragraph, with the line where it begins."""
    fields: dict[str, str] = {}
    first = 1
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            if fields:
                yield first, fields
            fields, first = {}, number + 1
        elif line[0] not in " \t":
            name, colon, value = line.partition(":")
            if not colon:
                problems.append(Problem(path, "is no field of a package", number))
            elif name.lower() in _WANTED:
                fields[name.lower()] = value.strip()
    if fields:
        # Each paragraph ends with an empty line, so the list was cut off here.
        problems.append(Problem(path, "ends in the middle of a package; it was cut off", first))
        yield first, fields


def _package(fields: Mapping[str, str], where: str, distribution: Distribution) -> Package | None:
    """Return what a paragraph says is installed, None if it says that it is not. ValueError says what is wrong with it."""
    name, state = fields.get("package", ""), fields.get("status", "").split()
    if not is_name(Ecosystem.DEBIAN, name):
        raise ValueError("has a package without a name that dpkg would take")
    if len(state) != 3:
        raise ValueError(f"does not say in which state {name} is")
    if state[2] in _GONE:
        return None
    version = fields.get("version", "")
    if not version:
        raise ValueError(f"does not say which version of {name} is installed")
    source = _SOURCE.fullmatch(fields.get("source") or name)
    if source is None:
        raise ValueError(f"does not say what {name} was built from")
    return Package(
        Ecosystem.DEBIAN, normal_name(Ecosystem.DEBIAN, name), version, where,
        source=normal_name(Ecosystem.DEBIAN, source["name"]), source_version=source["version"] or version,
        architecture=fields.get("architecture", ""), distribution=distribution,
    )  # fmt: skip


def _journal(root: Path) -> Iterator[Problem]:
    path = root / _JOURNAL
    try:
        pending = [entry for entry in path.iterdir() if entry.name.isdecimal()]
    except FileNotFoundError:
        return
    except OSError as error:
        yield Problem(str(path), f"cannot be read: {error.strerror}")
        return
    if pending:
        yield Problem(str(path), "holds changes that are not in the list yet: dpkg runs, or finish it: dpkg --configure -a")


def _distribution(root: Path, problems: list[Problem]) -> Distribution:
    for place in _OS_RELEASE:
        try:
            text = text_of(root / place, _MOST_RELEASE_BYTES, errors="replace")
        except UnreadableError:
            continue
        said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        values = [said.get(key, "").strip().strip("\"'") for key in ("ID", "VERSION_CODENAME")]
        return Distribution(*values)
    problems.append(Problem(str(root / _OS_RELEASE[0]), "is not there: which distribution this is stays unknown"))
    return Distribution()
