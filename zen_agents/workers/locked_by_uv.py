"""A lock of uv: what it pins, and what its project asks for. uv alone writes it, which knows where packages come from."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zen_agents.model.environment import Pin
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.workers.uv import UvError

NAME = "uv.lock"
_MOST_BYTES = 64 << 20


class UvLock:
    """The pins of one `uv.lock`, beside the `pyproject.toml` of its project."""

    #: It is never rewritten here.
    text = ""

    def __init__(self, path: str) -> None:
        self._locked = {name: entry for entry in _toml(Path(path)).get("package", ()) if (name := _name(entry))}
        project = _toml(Path(path).with_name("pyproject.toml")).get("project", {})
        #: What the project asks for itself, one requirement each.
        self.loose = [each for each in project.get("dependencies", ()) if isinstance(each, str) and "@" not in each]

    def version(self, name: str) -> str | None:
        """Return the version that it pins, None if it pins none."""
        version = self._locked.get(name, {}).get("version")
        return version if isinstance(version, str) else None

    def hashes(self, name: str, version: str) -> Sequence[str]:
        """Return the hashes of the wheels that it names of exactly this version."""
        return [*_hashes(self._locked[name])] if self.version(name) == version else ()

    def rewritten(self, pins: Sequence[Pin]) -> str:
        """Return "": whoever keeps it runs `uv lock --upgrade-package`."""
        del pins
        return ""


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise UvError(f"{path} is larger than {_MOST_BYTES} bytes")
        return tomllib.loads(text.decode())
    except (OSError, ValueError, RecursionError) as error:
        raise UvError(f"{path} cannot be read: {error}") from error


def _name(entry: object) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return normal_name(Ecosystem.PYPI, name) if isinstance(name, str) else ""


def _hashes(entry: Mapping[str, Any]) -> Iterator[str]:
    for wheel in entry.get("wheels", ()):
        if isinstance(wheel, dict) and isinstance(found := wheel.get("hash"), str):
            yield found
