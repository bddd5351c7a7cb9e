"""What a Python environment has installed, from the records beside the packages: its interpreter is never started.

It may be broken, moved, or somebody else's, and starting it would run what is installed there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zen_agents.adapters.packages_reading import UnreadableError, text_of
from zen_agents.packages.package import Ecosystem, Inventory, Package, Problem, inventory, is_name, package, twice

#: What marks a virtual environment, and says whether it also sees what its interpreter's own environment has.
MARK: Final = "pyvenv.cfg"
_SITES: Final = ("lib/python3*/site-packages", "lib64/python3*/site-packages")
_RECORDS: Final = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
_MOST_BYTES, _MOST_MARK_BYTES = 4 << 20, 64 << 10


def is_python_environment(path: Path) -> bool:
    """Tell whether this directory is a virtual environment, or one in which packages lie."""
    return bool(os.path.lexists(path / MARK) or _sites(path) or _holds_records(path))


def read_python_environment(path: Path) -> Inventory:
    """Return what is installed in an environment, an absolute path; whatever stays unknown is a problem of it."""
    where = str(path)
    problems = [*_told_by_mark(path)]
    sites = _sites(path) or ([path] if _holds_records(path) else [])
    if not sites:
        problems.append(Problem(where, "has no site-packages: it is no Python environment, or a broken one"))
    found = {each for site in sites for each in _installed(site, where, problems)}
    problems += twice(found)
    return inventory(path, Ecosystem.PYPI, found, problems)


def _sites(path: Path) -> list[Path]:
    """Return the directories that hold its packages, each once: lib64 is most often a link to lib."""
    found = {site.resolve(): site for pattern in _SITES for site in path.glob(pattern)}
    return sorted(found.values())


def _holds_records(path: Path) -> bool:
    try:
        return any(entry.suffix in _RECORDS for entry in path.iterdir())
    except OSError:
        return False


def _told_by_mark(path: Path) -> Iterator[Problem]:
    """Say what its own mark says that keeps this from being all it can import."""
    mark, interpreter = path / MARK, path / "bin" / "python"
    if not os.path.lexists(mark):
        return
    try:
        text = text_of(mark, _MOST_MARK_BYTES, errors="replace")
    except UnreadableError as error:
        yield error.problem
        return
    said = {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}
    if said.get("include-system-site-packages", "").lower() == "true":
        home = said.get("home", "an interpreter that it does not name")
        yield Problem(str(mark), f"lets it also use packages of {home}: name where those lie as an environment of its own")
    if not interpreter.exists():
        why = "is gone or was moved: nothing of this environment can run, what it holds is listed"
        yield Problem(str(interpreter), why)


def _installed(site: Path, where: str, problems: list[Problem]) -> Iterator[Package]:
    try:
        entries = sorted(site.iterdir())
    except OSError as error:
        problems.append(Problem(str(site), f"cannot be read: {error.strerror}"))
        return
    for entry in entries:
        if entry.suffix == ".egg-link":
            why = "names a directory in which a package is developed; its version is not told here"
            problems.append(Problem(str(entry), why))
        elif entry.suffix in _RECORDS and entry.name.startswith("~"):
            problems.append(Problem(str(entry), "was left by an installation that was interrupted"))
        elif entry.suffix in _RECORDS:
            try:
                # Old tools wrote one file where a directory is today.
                yield _recorded(entry / _RECORDS[entry.suffix] if entry.is_dir() else entry, where)
            except UnreadableError as error:
                problems.append(error.problem)


def _recorded(path: Path, where: str) -> Package:
    """Return the package that a record tells of; UnreadableError if it does not say name and version."""
    fields: dict[str, str] = {}
    for line in text_of(path, _MOST_BYTES, errors="replace").splitlines():
        key, colon, value = line.partition(":")
        if not line.strip() or len(fields) == 2:
            break
        if colon and key.lower() in ("name", "version"):
            fields.setdefault(key.lower(), value.strip())
    name, version = fields.get("name", ""), fields.get("version", "")
    if not is_name(Ecosystem.PYPI, name):
        raise UnreadableError(Problem(str(path), "does not say which package it is of"))
    if not version:
        raise UnreadableError(Problem(str(path), f"does not say which version of {name} is installed"))
    return package(Ecosystem.PYPI, name, version, where)
