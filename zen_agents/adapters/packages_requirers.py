"""Who requires a package, as the packages beside it say themselves. Nothing of them is run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from zen_agents.adapters.packages_dpkg import STATUS
from zen_agents.adapters.packages_reading import UnreadableError, text_of
from zen_agents.packages.package import Ecosystem, normal_name

_MOST_BYTES: Final = 256 << 20
_RECORDS: Final = ("lib/python3*/site-packages/*.dist-info/METADATA", "*.dist-info/METADATA")
_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json")
_DEPENDENCY_FIELDS: Final = ("dependencies", "optionalDependencies", "peerDependencies")
_DEBIAN_NAME: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+")


class Requirer(NamedTuple):
    """A package that requires another one, and in which words."""

    name: str
    asks: str


def requirers(ecosystem: Ecosystem, place: Path, name: str) -> list[Requirer]:
    """Return who requires a package in a place, by name; what cannot be read requires nothing."""
    wanted = normal_name(ecosystem, name)
    found = {
        Ecosystem.PYPI: _of_python,
        Ecosystem.DEBIAN: _of_debian,
        Ecosystem.NPM: _of_npm,
    }[ecosystem](place, wanted)
    return sorted(set(found))


def _of_python(place: Path, wanted: str) -> Iterator[Requirer]:
    for pattern in _RECORDS:
        for record in place.glob(pattern):
            name, asked = _python_record(record)
            yield from (Requirer(name, each) for each in asked if _python_name(each) == wanted)


def _python_record(record: Path) -> tuple[str, list[str]]:
    head = _text(record).partition("\n\n")[0].splitlines()
    fields = [(key.strip().lower(), value.strip()) for key, colon, value in (line.partition(":") for line in head) if colon]
    name = next((value for key, value in fields if key == "name"), record.parent.name)
    # What only an extra brings is not required by the package itself.
    return name, [value for key, value in fields if key == "requires-dist" and "extra ==" not in value.replace('"', "'")]


def _python_name(asked: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", asked)
    return normal_name(Ecosystem.PYPI, match[0]) if match else ""


def _of_debian(place: Path, wanted: str) -> Iterator[Requirer]:
    for paragraph in _text(place / STATUS).split("\n\n"):
        if wanted not in paragraph or "Status: install ok installed" not in paragraph:
            continue
        unfolded = paragraph.replace("\n ", " ")
        fields = dict(line.split(": ", 1) for line in unfolded.splitlines() if ": " in line)
        for field in ("Pre-Depends", "Depends"):
            for asked in fields.get(field, "").split(", "):
                names = [match[0] for each in asked.split("|") if (match := _DEBIAN_NAME.match(each.strip()))]
                if wanted in names:
                    yield Requirer(fields.get("Package", ""), asked.strip())


def _of_npm(place: Path, wanted: str) -> Iterator[Requirer]:
    files = [place / each for each in _LOCKS] if place.is_dir() else [place]
    for file in files:
        for where, entry in _npm_entries(_text(file)):
            asked = {name: text for field in _DEPENDENCY_FIELDS for name, text in _mapping(entry.get(field)).items()}
            if wanted in asked:
                yield Requirer(where.rpartition("node_modules/")[2] or "the project itself", f"{wanted} {asked[wanted]}")


def _npm_entries(text: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    try:
        packages = _mapping(_mapping(json.loads(text)).get("packages"))
    except (ValueError, RecursionError):
        return ()
    return ((where, _mapping(entry)) for where, entry in packages.items())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(path: Path) -> str:
    try:
        return text_of(path, _MOST_BYTES, errors="replace")
    except (UnreadableError, OSError):
        return ""
