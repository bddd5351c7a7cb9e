"""Which modules a package provides at the top of an environment, by its own record."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath

from zen_agents.packages.package import Ecosystem, normal_name

_SUFFIXES = (".py", ".so")


def sites(venv: str) -> Sequence[Path]:
    """Return where an environment's packages lie, each once: lib64 is most often a link to lib."""
    return sorted({site.resolve() for site in Path(venv).glob("lib*/python3*/site-packages")})


def modules_of(venv: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the modules that these packages provide, each once; names are in their normal form."""
    records = [record for site in sites(venv) for record in sorted(site.glob("*.dist-info")) if _name(record) in names]
    return tuple(dict.fromkeys(module for record in records for module in sorted(set(_modules(record)))))


def _name(record: Path) -> str:
    return normal_name(Ecosystem.PYPI, record.name.partition("-")[0])


def _modules(record: Path) -> Iterator[str]:
    said = _text(record / "top_level.txt").split() or [_top(path) for path in _files(record)]
    yield from (name for name in said if name.isidentifier())


def _files(record: Path) -> Iterator[PurePosixPath]:
    for row in csv.reader(_text(record / "RECORD").splitlines()):
        if row and (path := PurePosixPath(row[0])).suffix in _SUFFIXES:
            yield path


def _top(path: PurePosixPath) -> str:
    """Return the first part of a path, of a module in a file without its ending."""
    return path.parts[0] if len(path.parts) > 1 else path.name.partition(".")[0]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
