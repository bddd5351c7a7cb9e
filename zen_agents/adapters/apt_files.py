"""The files of Debian packages: which units they ship, and which units run with them right now."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from zen_agents.adapters.apt_programs import AptError, answer, run

_SECONDS: Final = 30.0
_UNIT: Final = re.compile(r"(?:/usr)?/lib/systemd/system/([^/]+\.(?:service|socket|timer|path|mount|target))")
_INIT_SCRIPT: Final = re.compile(r"/etc/init\.d/([^/]+)")
_GROUP: Final = re.compile(r"([^/]+\.(?:service|scope))(?:/|$)")


def files_of(name: str) -> frozenset[str]:
    """Return the paths that an installed package owns; AptError if dpkg does not know it."""
    lines = answer(("dpkg-query", "--listfiles", name), _SECONDS).splitlines()
    return frozenset(line for line in lines if line.startswith("/") and line != "/.")


def is_installed(name: str) -> bool:
    """Tell whether a package is installed, if only in part."""
    return run(("dpkg-query", "--listfiles", name), _SECONDS).code == 0


def units_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the units whose files are among these, a script of init.d as the service that systemd makes of it."""
    found = set()
    for path in paths:
        if unit := _UNIT.fullmatch(path):
            found.add(unit[1])
        elif script := _INIT_SCRIPT.fullmatch(path):
            found.add(f"{script[1]}.service")
    return tuple(sorted(found))


def units_running(files: Collection[str]) -> tuple[str, ...]:
    """Return the units of which a process has one of these files mapped; AptError if no process can be looked into."""
    groups = (_text(process / "cgroup") for process in _with_mapped(files))
    return tuple(sorted({unit for group in groups if (unit := _unit_in(group))}))


def programs_running(files: Collection[str]) -> tuple[str, ...]:
    """Return the programs of which a process has one of these files mapped; AptError as above."""
    found = set()
    for process in _with_mapped(files):
        with contextlib.suppress(OSError):  # it has just ended
            found.add(str((process / "exe").readlink()))
    return tuple(sorted(each for each in found if not each.endswith(" (deleted)")))


def _with_mapped(files: Collection[str]) -> Iterator[Path]:
    """Yield the directory in /proc of each process of this root that has one of these files mapped."""
    wanted, seen = {_without_usr(path) for path in files}, 0
    for process in Path("/proc").glob("[0-9]*"):
        lines = _text(process / "maps").splitlines()
        seen += bool(lines)
        mapped = {_without_usr(line.split(None, 5)[5]) for line in lines if "/" in line}
        # In a container the same path is another file.
        if not wanted.isdisjoint(mapped) and _is_of_this_root(process):
            yield process
    if not seen:
        raise AptError("no process may be looked into")


def _is_of_this_root(process: Path) -> bool:
    try:
        return (process / "root").samefile("/")
    except OSError:
        return False


def _text(path: Path) -> str:
    """Return what the kernel tells of a process, "" of one that has just ended or may not be looked into."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _without_usr(path: str) -> str:
    """Return a path as it was before /lib and its like became links to /usr/lib, which packages still own it by."""
    return path.removeprefix("/usr")


def _unit_in(group: str) -> str:
    found = [match[1] for line in group.splitlines() for match in [_GROUP.search(line.rpartition(":")[2])] if match]
    return found[0] if found else ""
