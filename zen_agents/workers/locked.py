"""A requirements file that pins what an environment holds: what it says, and what it would say after an upgrade."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

from zen_agents.model.environment import Pin, Rewrite
from zen_agents.packages.package import Ecosystem, normal_name
from zen_agents.packages.requirements import lines_of
from zen_agents.packages.rewriting import rewrite
from zen_agents.workers.uv import Uv, UvError

_HASH = re.compile(r"--hash[= ](\S+)")
_OPTIONS = re.compile(r"\s--[a-z].*$")
_MOST_BYTES = 4 << 20


class _Pinned(NamedTuple):
    version: str
    hashes: tuple[str, ...]
    #: From its first line to behind its last, counted from 0.
    first: int
    behind: int


class Lock:
    """The pins of one file; a file that is not named has none."""

    def __init__(self, path: str, text: str) -> None:
        self._path, self.text = path, text
        self._pinned: dict[str, _Pinned] = {}
        #: What it asks for beside its pins, one requirement each.
        self.loose: list[str] = []
        for number, line in _placed(text):
            self._take(number, line)

    @classmethod
    def of(cls, path: str) -> Lock:
        """Return the pins of a file, "" for none; UvError if it cannot be read, or is no requirements file."""
        if not path:
            return cls("", "")
        try:
            with Path(path).open("rb") as file:
                text = file.read(_MOST_BYTES + 1)
            if len(text) > _MOST_BYTES:
                raise UvError(f"{path} is larger than {_MOST_BYTES} bytes")
            return cls(path, text.decode())
        except (OSError, UnicodeDecodeError) as error:
            raise UvError(f"{path} cannot be read: {error}") from error

    def version(self, name: str) -> str | None:
        """Return the version that it pins, None if it pins none."""
        return self._pinned[name].version if name in self._pinned else None

    def hashes(self, name: str, version: str) -> Sequence[str]:
        """Return the hashes that it gives for exactly this version."""
        pinned = self._pinned.get(name)
        return pinned.hashes if pinned is not None and pinned.version == version else ()

    def rewritten(self, pins: Sequence[Pin], uv: Uv) -> tuple[Rewrite | None, str]:
        """Return what it would become, with these pins in the place of those that it has for the same names."""
        del uv
        lines = self.text.splitlines(keepends=True)
        found = [(self._pinned[pin.name], pin) for pin in pins if pin.name in self._pinned]
        for old, pin in sorted(found, key=lambda each: each[0].first, reverse=True):
            lines[old.first : old.behind] = [_written(pin, with_hashes=bool(old.hashes))]
        return rewrite(self.text, "".join(lines)), ""

    def _take(self, number: int, text: str) -> None:
        if text.startswith("-"):
            return
        try:
            read = Requirement(_OPTIONS.sub("", text))
        except InvalidRequirement as error:
            raise UvError(f"{self._path}:{number + 1} is no requirement: {str(error).splitlines()[0]}") from error
        exact = next((each.version for each in read.specifier if each.operator == "==" and "*" not in each.version), None)
        if read.url:
            return
        if exact is None or read.marker:
            self.loose.append(_OPTIONS.sub("", text))
        else:
            name = normal_name(Ecosystem.PYPI, read.name)
            behind = number + _height(self.text, number)
            self._pinned[name] = _Pinned(exact, tuple(_HASH.findall(text)), number, behind)


def _placed(text: str) -> Sequence[tuple[int, str]]:
    return [(line.number - 1, line.text) for line in lines_of(text)]


def _height(text: str, first: int) -> int:
    """Return over how many lines a requirement goes that begins in this one."""
    lines = text.splitlines()[first:]
    return next((count for count, line in enumerate(lines, 1) if not line.rstrip().endswith("\\")), len(lines))


def _written(pin: Pin, *, with_hashes: bool) -> str:
    parts = [f"{pin.name}=={pin.version}", *([f"--hash={each}" for each in pin.hashes] if with_hashes else [])]
    return " \\\n    ".join(parts) + "\n"
