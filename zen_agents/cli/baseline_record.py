"""How files of this host are now, written where `baselines:` look for what was declared."""

from __future__ import annotations

import grp
import json
import pwd
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from zen_agents.adapters.durable_file import replace_durably
from zen_agents.dataclass import dataclass
from zen_agents.drift.declared import distrust, held_content, sha256
from zen_agents.errors import HostError
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState

_DIRECTORY_MODE = 0o755
#: What a declared file is at most; a managed file that others may not read is not shown to them by its copy.
_READABLE = 0o644


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file, and what came of recording it."""

    name: str
    path: str
    declared: str
    #: recorded, same (it was declared so before), left (it was declared otherwise) or failed.
    outcome: str
    sha256: str = ""
    #: Four octal digits.
    mode: str = ""
    owner: str = ""
    group: str = ""
    #: What is in the way, "" if nothing.
    why: str = ""

    @property
    def is_declared(self) -> bool:
        """Whether what is declared now is how the file is."""
        return self.outcome in ("recorded", "same") and not self.why

    def as_json(self) -> Mapping[str, Any]:
        """Return it for programs."""
        return {
            "name": self.name, "path": self.path, "declared": self.declared, "outcome": self.outcome, "why": self.why,
            "sha256": self.sha256, "mode": self.mode, "owner": self.owner, "group": self.group,
        }  # fmt: skip


def record(name: str, path: str, declared: Path, host: HostView, *, force: bool) -> Recorded:
    """Declare a file as it is now; what was declared otherwise before stays without `force`."""
    try:
        state = host.file(path)
        if state is None or state.kind != "file":
            raise HostError(f"{path} is {'missing' if state is None else f'a {state.kind}'}, so there is nothing to record")
        content = held_content(state, host)
        if not content:
            raise HostError(f"{path} is empty, which is never what a file should be")
        outcome, why = _written(declared, content, state.mode & _READABLE, host, force=force)
    except (HostError, OSError) as error:
        return Recorded(name, path, str(declared), "failed", why=_words(error))
    owner, group = _name(state.owner, pwd.getpwuid), _name(state.group, grp.getgrgid)
    return Recorded(name, path, str(declared), outcome, sha256(content), f"{state.mode:04o}", owner, group, why)


def record_entries(name: str, done: Iterable[Recorded], to: Path, host: HostView, *, force: bool) -> Recorded:
    """Write what the configuration needs to have these files watched; the same rules hold for that file."""
    text = entries(done).encode()
    try:
        outcome, why = _written(to, text, _READABLE, host, force=force)
    except (HostError, OSError) as error:
        return Recorded(name, str(to), str(to), "failed", why=_words(error))
    return Recorded(name, str(to), str(to), outcome, sha256(text), why=why)


def entries(done: Iterable[Recorded]) -> str:
    """Return the part of a configuration that has these files watched: contents by `baselines`, the rest by `paths`."""
    baselines, paths = [], []
    for each in done:
        at = f"path: {json.dumps(each.path)}"
        baselines.append(f"      {each.name}: {{{at}, declared: {json.dumps(each.declared)}}}   # sha256 {each.sha256}")
        owned = f'mode: "{each.mode}", owner: {json.dumps(each.owner)}, group: {json.dumps(each.group)}'
        paths.append(f"      {each.name}: {{{at}, kind: file, {owned}, on_failure: []}}")
    head = ["# Written by `zen-agents baseline record`. Lay it into conf.d beside the configuration.", "agents:"]
    only_told = "    paths:   # only told; without `on_failure: []` modes and owners are given back where that is allowed"
    return "\n".join([*head, "  system_health:", "    baselines:", *baselines, only_told, *paths]) + "\n"


def _written(place: Path, content: bytes, mode: int, host: HostView, *, force: bool) -> tuple[str, str]:
    """Return what came of it, and who else could have written it."""
    there = host.file(str(place))
    if there is not None and there.kind != "file":
        raise HostError(f"{place} is a {there.kind} and is left alone")
    if there is not None and held_content(there, host) == content:
        return "same", distrust(there, host)
    if there is not None and not force:
        return "left", f"{place} says otherwise since before and is left; --force records over it"
    _make(place.parent)
    replace_durably(place, content, mode=mode)
    return "recorded", distrust(_seen(place), host)


def _make(directory: Path) -> None:
    for each in (*reversed(directory.parents), directory):
        each.mkdir(_DIRECTORY_MODE, exist_ok=True)


def _seen(place: Path) -> FileState:
    found = place.lstat()
    return FileState(
        str(place), "file", found.st_mode & 0o7777, found.st_uid, found.st_gid, found.st_size, found.st_mtime,
        found.st_ctime, found.st_atime, found.st_dev, found.st_ino, found.st_nlink,
    )  # fmt: skip


def _name(number: int, look_up: Callable[[int], Any]) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def _words(error: HostError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
