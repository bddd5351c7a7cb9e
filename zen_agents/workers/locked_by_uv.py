"""A lock of uv: what it pins, what its project asks for, and the lock that says what is to be installed.

uv alone writes one. It does so in the project's own place, on a layer over it that is never kept (see `isolate.sh`): so
whatever the project has beside it is found, and nothing of it is changed before the upgrade has shown that it works.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zen_agents.model.environment import Environment, Pin, Rewrite
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.packages.rewriting import rewrite
from zen_agents.workers.uv import Uv, UvError

#: What is larger is not replaced by an action either.
_MOST_BYTES = 1 << 20
_MOST_SAID = 600


class UvLock:
    """The pins of one `uv.lock`, beside the `pyproject.toml` of its project."""

    def __init__(self, environment: Environment) -> None:
        self._path = Path(environment.requirements)
        self._text = _text(self._path)
        self._locked = _locked(_toml(self._text, self._path))
        project = self._path.with_name("pyproject.toml")
        asked = _toml(_text(project), project).get("project")
        listed = _list(asked, "dependencies") if isinstance(asked, dict) else ()
        #: What the project asks for itself, one requirement each.
        self.loose = [each for each in listed if isinstance(each, str) and "@" not in each]

    def version(self, name: str) -> str | None:
        """Return the version that it pins, None if it pins none."""
        version = self._locked.get(name, {}).get("version")
        return version if isinstance(version, str) else None

    def hashes(self, name: str, version: str) -> Sequence[str]:
        """Return the hashes of the wheels that it names of exactly this version."""
        return [*_hashes(self._locked[name])] if self.version(name) == version else ()

    def rewritten(self, pins: Sequence[Pin], uv: Uv) -> tuple[Rewrite | None, str]:
        """Return what it would become to pin these, as uv writes it, or why it could not be made to."""
        if all(self.version(pin.name) in (pin.version, None) for pin in pins):
            return None, ""
        wanted = [word for pin in pins for word in ("--upgrade-package", f"{pin.name}=={pin.version}")]
        try:
            step = uv.lock(str(self._path.parent), *wanted, from_here=False)
            # Where nothing in the project says where packages come from; another answer than from there is seen below.
            step = step if step.ok else uv.lock(str(self._path.parent), *wanted, from_here=True)
            after = _text(self._path)
            amiss = self._amiss(pins, _locked(_toml(after, self._path)))
        except UvError as error:
            return None, str(error)
        if not step.ok:
            return None, f"uv lock: {' '.join(step.output.split())[-_MOST_SAID:] or step.end}"
        if amiss:
            return None, f"uv lock {shlex.join(wanted)} {amiss}"
        return rewrite(self._text, after), ""

    def _amiss(self, pins: Sequence[Pin], after: Mapping[str, Mapping[str, Any]]) -> str:
        """Return in which way another lock says something else than is to be installed, or than this one; "" if none."""
        named = {pin.name: pin.version for pin in pins}
        for name, entry in after.items():
            if entry.get("version") != named.get(name, entry.get("version")):
                return f"comes to {name} {entry.get('version')}, not {named[name]}"
        for name, entry in self._locked.items():
            new = after.get(name, {})
            if name not in named and any(entry.get(key) != new.get(key) for key in ("version", "source")):
                return f"would change {name}, too"
        return ""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise UvError(f"{path} is larger than {_MOST_BYTES} bytes")
        return text.decode()
    except (OSError, ValueError) as error:
        raise UvError(f"{path} cannot be read: {error}") from error


def _toml(text: str, named: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UvError(f"{named} cannot be read: {error}") from error


def _locked(lock: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return {name: entry for entry in _list(lock, "package") if (name := _name(entry))}


def _list(of: Mapping[str, Any], key: str) -> Sequence[Any]:
    """Return a list; what is something else holds nothing."""
    return found if isinstance(found := of.get(key), list) else ()


def _name(entry: object) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return normal_name(Ecosystem.PYPI, name) if isinstance(name, str) else ""


def _hashes(entry: Mapping[str, Any]) -> Iterator[str]:
    for wheel in _list(entry, "wheels"):
        if isinstance(wheel, dict) and isinstance(found := wheel.get("hash"), str):
            yield found
