"""What a file should hold, as somebody declared it: in another file that nobody else can write (R21)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from zen_agents.errors import HostError
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState


def declared_content(path: str, host: HostView) -> bytes:
    """Return what a declared file holds.

    Raises HostError if it is missing, empty or no plain file, or if others than its owner could have written it: then
    nobody knows what is right, and what is there is left (R2).
    """
    state = host.file(path)
    if state is None or state.kind != "file":
        raise HostError(f"the declared {path} is {'missing' if state is None else f'a {state.kind}'}; put it back")
    if why := distrust(state, host):
        raise HostError(f"the declared {path} is not trusted: {why}")
    content = host.content(path)
    if not content:
        raise HostError(f"the declared {path} is empty, which is never what a file should be")
    return content


def held_content(state: FileState, host: HostView) -> bytes:
    """Return what a file that was seen holds; HostError if it cannot be read, or went away."""
    content = host.content(state.path)
    if not isinstance(content, bytes):
        raise HostError(f"{state.path} went away while it was looked at")
    return content


def sha256(content: bytes) -> str:
    """Return the hash by which contents are named, hex."""
    return hashlib.sha256(content).hexdigest()


def distrust(state: FileState, host: HostView) -> str:
    """Return who else could have written a file, "" if nobody could.

    As root that includes every directory above it; a sticky one is one where others cannot replace it.
    """
    root = os.geteuid() == 0
    for each in (state, *(_above(state.path, host) if root else ())):
        if each.kind == "directory" and each.mode & 0o1000:
            continue
        if root and each.owner != 0:
            return f"{each.path} belongs to uid {each.owner}, not to root"
        if each.mode & 0o002 or (root and each.mode & 0o020 and each.group != 0):
            return f"{each.path} has mode {each.mode:04o}, so others may write it"
    return ""


def _above(path: str, host: HostView) -> Iterator[FileState]:
    while path not in ("", "/"):
        path = path.rpartition("/")[0]
        state = host.file(path or "/")
        if state is not None:
            yield state
