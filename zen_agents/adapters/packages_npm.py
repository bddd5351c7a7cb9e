"""What npm has installed for a project, from its lock of any of the three versions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from zen_agents.adapters.packages_reading import UnreadableError, text_of
from zen_agents.packages.package import Ecosystem, Inventory, Problem, inventory, is_name, package

_MOST_BYTES: Final = 256 << 20
_INSTALLED: Final = "node_modules/"
_ALIAS: Final = "npm:"
#: Anything else is a place from which it came.
_VERSION: Final = re.compile(r"[0-9A-Za-z.+-]+")


class _Locked(NamedTuple):
    name: object
    version: object


def read_npm_lock(path: Path) -> Inventory:
    """Return what `package-lock.json` or `npm-shrinkwrap.json` holds; the project and its workspaces are not among it."""
    problems: list[Problem] = []
    found = []
    for name, version in _entries(_json(path, problems), path, problems):
        if not isinstance(name, str) or not is_name(Ecosystem.NPM, name):
            problems.append(Problem(str(path), "has a package without a name"))
        elif not isinstance(version, str) or not _VERSION.fullmatch(version):
            problems.append(Problem(str(path), f"does not say which version of {name} is installed"))
        else:
            found.append(package(Ecosystem.NPM, name, version, str(path)))
    return inventory(path, Ecosystem.NPM, found, problems)


def _json(path: Path, problems: list[Problem]) -> Mapping[str, Any]:
    try:
        read = json.loads(text_of(path, _MOST_BYTES))
    except UnreadableError as error:
        problems.append(error.problem)
        return {}
    except json.JSONDecodeError as error:
        problems.append(Problem(str(path), f"is no JSON: {error.msg}", error.lineno))
        return {}
    except (RecursionError, ValueError):
        problems.append(Problem(str(path), "is nested too deeply or has a number too long, and is not read"))
        return {}
    if isinstance(read, dict):
        return read
    problems.append(Problem(str(path), "is no lock of npm"))
    return {}


def _entries(lock: Mapping[str, Any], path: Path, problems: list[Problem]) -> Iterator[_Locked]:
    """Yield what is installed; the list of versions 2 and 3 tells more than that of version 1, which stands beside it."""
    if isinstance(packages := lock.get("packages"), dict):
        yield from _of_places(packages)
    elif isinstance(dependencies := lock.get("dependencies"), dict):
        yield from _of_tree(dependencies)
    elif lock and "lockfileVersion" not in lock:
        problems.append(Problem(str(path), "is no lock of npm"))


def _of_places(packages: Mapping[str, Any]) -> Iterator[_Locked]:
    for place, entry in packages.items():
        _, installed, name = place.rpartition(_INSTALLED)
        if not installed:
            continue
        fields = entry if isinstance(entry, dict) else {}
        if not fields.get("link"):
            # A package that is installed under another name says its own.
            yield _Locked(fields.get("name", name), fields.get("version"))


def _of_tree(dependencies: Mapping[str, Any]) -> Iterator[_Locked]:
    left = [dependencies]
    while left:
        for name, entry in left.pop().items():
            fields = entry if isinstance(entry, dict) else {}
            version = fields.get("version")
            if isinstance(version, str) and version.startswith(_ALIAS):
                own, _, version = version.removeprefix(_ALIAS).rpartition("@")
                yield _Locked(own, version)
            else:
                yield _Locked(name, version)
            if isinstance(below := fields.get("dependencies"), dict):
                left.append(below)
