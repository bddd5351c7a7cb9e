"""The files of Debian packages: which units they ship, and which units run with them right now."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_programs import AptError, answer

_SECONDS: Final = 30.0
_UNIT: Final = re.compile(r"(?:/usr)?/lib/systemd/system/([^/]+\.(?:service|socket|timer|path|mount|target))")
_INIT_SCRIPT: Final = re.compile(r"/etc/init\.d/([^/]+)")
_GROUP: Final = re.compile(r"([^/]+\.(?:service|scope))(?:/|$)")


def files_of(name: str) -> frozenset[str]:
    """Return the paths that an installed package owns; AptError if dpkg does not know it."""
    lines = answer(("dpkg-query", "--listfiles", name), _SECONDS).splitlines()
    return frozenset(line for line in lines if line.startswith("/") and line != "/.")


def units_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the units whose files are among these, a script of init.d as the service that systemd makes of it."""
    found = set()
    for path in paths:
        if unit := _UNIT.fullmatch(path):
            found.add(unit[1])
        elif script := _INIT_SCRIPT.fullmatch(path):
            found.add(f"{script[1]}.service")
    return tuple(sorted(found))


def units_running(files: frozenset[str] | set[str]) -> tuple[str, ...]:
    """Return the units of which a process has one of these files mapped; AptError if no process can be looked into."""
    wanted = {_without_usr(path) for path in files}
    found, seen = set(), 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            maps = (process / "maps").read_text(errors="replace")
            group = (process / "cgroup").read_text(errors="replace")
        except OSError:
            continue  # it has just ended, or is another account's
        seen += 1
        mapped = {line.split(None, 5)[5] for line in maps.splitlines() if line.count("/")}
        if (unit := _unit_in(group)) and any(_without_usr(path) in wanted for path in mapped):
            found.add(unit)
    if not seen:
        raise AptError("no process may be looked into")
    return tuple(sorted(found))


def _without_usr(path: str) -> str:
    """Return a path as it was before /lib and its like became links to /usr/lib, which packages still own it by."""
    return path.removeprefix("/usr")


def _unit_in(group: str) -> str:
    found = [match[1] for line in group.splitlines() for match in [_GROUP.search(line.rpartition(":")[2])] if match]
    return found[0] if found else ""
