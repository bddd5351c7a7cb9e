"""A requirements file, and those that it includes, as far as they pin what they ask for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zen_agents.adapters.packages_reading import UnreadableError, text_of
from zen_agents.packages.package import Ecosystem, Inventory, Package, Problem, inventory, package
from zen_agents.packages.requirements import Line, RequirementError, lines_of, pin_of

_MOST_BYTES, _MOST_FILES = 4 << 20, 100
_INCLUDES: Final = re.compile(r"(?:-r\s*|--requirement[= ]\s*)(?P<file>\S.*)")
_EDITABLE: Final = re.compile(r"(?:-e|--editable)[= \s]")
#: Options that say where packages come from or what may be chosen, not which are installed.
_SAYS_NOTHING: Final = re.compile(
    r"(?:-[cfi]|--(?:constraint|find-links|index-url|extra-index-url|no-index|no-binary|only-binary|prefer-binary|pre"
    r"|require-hashes|trusted-host|use-feature))(?:[= ]|$)"
)


def read_requirements(path: Path) -> Inventory:
    """Return what a requirements file pins; whatever it leaves open, and each error with its line, is a problem."""
    reading = _Reading(path)
    reading.read(path)
    return inventory(path, Ecosystem.PYPI, reading.found, reading.problems)


def _beside(path: Path, name: str) -> Path:
    if "\0" in name:
        raise RequirementError("names a file that no system can have")
    return Path(os.path.realpath(path.parent / name))


class _Reading:
    """One file and all that it includes."""

    def __init__(self, path: Path) -> None:
        self.found: list[Package] = []
        self.problems: list[Problem] = []
        self._where = str(path)
        self._files: set[Path] = set()
        self._pinned: dict[str, tuple[str, str]] = {}

    def read(self, path: Path) -> None:
        if path in self._files:
            return
        if len(self._files) == _MOST_FILES:
            self.problems.append(Problem(str(path), f"is not read: there are more than {_MOST_FILES} files already"))
            return
        self._files.add(path)
        try:
            text = text_of(path, _MOST_BYTES)
        except UnreadableError as error:
            self.problems.append(error.problem)
            return
        for line in lines_of(text):
            try:
                self._take(path, line)
            except RequirementError as error:
                self.problems.append(Problem(str(path), str(error), line.number))

    def _take(self, path: Path, line: Line) -> None:
        if included := _INCLUDES.fullmatch(line.text):
            self.read(_beside(path, included["file"].strip("\"'")))
        elif _EDITABLE.match(line.text):
            raise RequirementError("names a directory in which a package is developed; its version is not told here")
        elif not line.text.startswith("-"):
            self.found += self._pin(path, line)
        elif not _SAYS_NOTHING.match(line.text):
            raise RequirementError(f"is no option that is understood: {line.text.split()[0]}")

    def _pin(self, path: Path, line: Line) -> Iterator[Package]:
        pin = pin_of(line.text)
        made = package(Ecosystem.PYPI, pin.name, pin.version, self._where)
        place = f"{path}:{line.number}"
        before, where = (
            self._pinned.setdefault(made.name, (made.version, place)) if not pin.marker else (made.version, place)
        )
        if before != made.version:
            why = f"pins {made.name} to {made.version}, and {where} to {before}: they conflict"
            self.problems.append(Problem(str(path), why, line.number))
        yield made
