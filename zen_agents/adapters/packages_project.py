"""A Python project: what `uv.lock` says is installed for it, or what `pyproject.toml` alone asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zen_agents.adapters.packages_reading import UnreadableError, text_of
from zen_agents.packages.package import Ecosystem, Inventory, Package, Problem, inventory, is_name, package
from zen_agents.packages.requirements import RequirementError, pin_of

_MOST_BYTES: Final = 64 << 20
#: Where the project itself, and what is developed with it, comes from.
_OWN: Final = frozenset({"editable", "virtual", "directory"})
_LINE: Final = re.compile(r" \(at line (?P<line>\d+), column \d+\)$")


def read_uv_lock(path: Path) -> Inventory:
    """Return what a lock of uv holds for all platforms; the project itself is not among it."""
    problems: list[Problem] = []
    entries = _toml(path, problems).get("package", [])
    found = [*_locked(path, entries if isinstance(entries, list) else [], problems)]
    return inventory(path, Ecosystem.PYPI, found, problems)


def read_pyproject(path: Path) -> Inventory:
    """Return what a project pins itself; what it asks for without a version is a problem."""
    problems: list[Problem] = []
    found: list[Package] = []
    for text in _asked_for(_toml(path, problems)):
        try:
            pin = pin_of(text)
        except RequirementError as error:
            problems.append(Problem(str(path), str(error)))
        else:
            found.append(package(Ecosystem.PYPI, pin.name, pin.version, str(path)))
    return inventory(path, Ecosystem.PYPI, found, problems)


def _toml(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text_of(path, _MOST_BYTES))
    except UnreadableError as error:
        problems.append(error.problem)
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        why = f"is no TOML: {_LINE.sub('', str(error))}"
        problems.append(Problem(str(path), why, int(place["line"]) if place else 0))
    except (RecursionError, ValueError):
        problems.append(Problem(str(path), "is nested too deeply or has a number too long, and is not read"))
    return {}


def _locked(path: Path, entries: Sequence[object], problems: list[Problem]) -> Iterator[Package]:
    for entry in entries:
        fields = entry if isinstance(entry, dict) else {}
        name, source, version = fields.get("name"), fields.get("source"), fields.get("version")
        if not isinstance(name, str) or not is_name(Ecosystem.PYPI, name):
            problems.append(Problem(str(path), "has a package without a name"))
            continue
        if isinstance(source, dict) and _OWN.intersection(source):
            continue
        if not isinstance(version, str) or not version:
            problems.append(Problem(str(path), f"does not say which version of {name} is installed"))
            continue
        yield package(Ecosystem.PYPI, name, version, str(path))


def _asked_for(project: Mapping[str, Any]) -> Iterator[str]:
    """Yield every requirement that a project states: its own, of extras, and of groups."""
    own = project.get("project")
    tables = [own.get("optional-dependencies"), {"": own.get("dependencies")}] if isinstance(own, dict) else []
    for table in (*tables, project.get("dependency-groups")):
        for listed in table.values() if isinstance(table, dict) else ():
            # A group may also include others, by a table.
            yield from (text for text in listed if isinstance(text, str)) if isinstance(listed, list) else ()
