"""What there is of packages at a path: an environment, the root of a host, or a project with its locks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from zen_agents.adapters.packages_dpkg import STATUS, read_dpkg
from zen_agents.adapters.packages_npm import read_npm_lock
from zen_agents.adapters.packages_python import is_python_environment, read_python_environment
from zen_agents.errors import UsageError
from zen_agents.first_use import load
from zen_agents.packages.package import Ecosystem, Inventory

_HERE: Final = "zen_agents.adapters"


def _by(place: str) -> Callable[[Path], Inventory]:
    """Return a reader that is loaded with its libraries when the first such file is read."""

    def read(path: Path) -> Inventory:
        reader: Callable[[Path], Inventory] = load(place)
        return reader(path)

    return read


#: How a file is named that says what is installed for a project -> what reads it.
_LOCKS: Final[Mapping[str, Callable[[Path], Inventory]]] = {
    "uv.lock": _by(f"{_HERE}.packages_project:read_uv_lock"),
    "package-lock.json": read_npm_lock,
    "npm-shrinkwrap.json": read_npm_lock,
}
#: The same of one that says what it asks for, which only counts where nothing says what it got.
_WISHES: Final[Mapping[str, Callable[[Path], Inventory]]] = {
    "pyproject.toml": _by(f"{_HERE}.packages_project:read_pyproject"),
    "requirements*.txt": _by(f"{_HERE}.packages_requirements:read_requirements"),
}
#: Whatever else the file is called that somebody names: a text of requirements is meant.
_LISTS: Final = dict.fromkeys(("*.txt", "*.in", "*.lock"), _WISHES["requirements*.txt"])
_ENVIRONMENTS: Final = (".venv", "venv")
_UNDERSTOOD: Final = "a Python environment, a root with dpkg, or a project with one of " + ", ".join((*_LOCKS, *_WISHES))


def inventories(path: Path) -> list[Inventory]:
    """Return the inventory of each environment and list of packages at an absolute path; at least one.

    Raises UsageError if there is none, HostError if the path may not be looked at, ModuleNotFoundError if the extra
    `packages` is needed and not installed.
    """
    if path.is_dir():
        found = _of_directory(path)
    else:
        found = _read([path] if path.is_file() else [], {**_LOCKS, **_WISHES, **_LISTS})[:1]
    if not found:
        raise UsageError(f"{path} is not there" if not path.exists() else f"{path} is not {_UNDERSTOOD}")
    return found


def _of_directory(path: Path) -> list[Inventory]:
    found = [read_dpkg(path)] if (path / STATUS).exists() else []
    if is_python_environment(path):
        return [*found, read_python_environment(path)]
    found += [read_python_environment(path / name) for name in _ENVIRONMENTS if is_python_environment(path / name)]
    files = sorted(each for each in path.iterdir() if each.is_file())
    found += _read(files, _LOCKS)
    if any(inventory.ecosystem is Ecosystem.PYPI for inventory in found):
        return found
    return found + _read(files, _WISHES)


def _read(files: Iterable[Path], readers: Mapping[str, Callable[[Path], Inventory]]) -> list[Inventory]:
    return [read(file) for file in files for pattern, read in readers.items() if fnmatch(file.name, pattern)]
