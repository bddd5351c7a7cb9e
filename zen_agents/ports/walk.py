"""A bounded walk over the regular files below a directory: no links, no other file system, no end of work.

Checks share the sampler's thread with all others, so a walk stops after `MOST_ENTRIES` and says that it did.
"""

from __future__ import annotations

from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState

#: Entries looked at in one walk: about half a second.
MOST_ENTRIES = 50_000
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found."""

    files: tuple[FileState, ...]
    #: True if everything below the directory was seen.
    complete: bool


def walk(host: HostView, path: str, *, any_device: bool = False) -> Walk | None:
    """Return the regular files below a directory, None if there is no such directory.

    `any_device`: also files of another device than the directory's, as an overlay says of those in a lower layer; no other
    file system is entered. HostError if it is not a directory, or cannot be listed. Directories that vanish or may not be
    entered meanwhile make the walk incomplete.
    """
    root = host.file(path)
    if root is None:
        return None
    if root.kind != "directory":
        raise HostError(f"{path} is a {root.kind}, not a directory; links are not followed")
    files: list[FileState] = []
    waiting, left, complete = [(path, 0)], MOST_ENTRIES, True
    while waiting and left > 0:
        directory, depth = waiting.pop()
        try:
            entries = host.list_directory(directory, limit=left)
        except HostError:
            if depth == 0:
                raise
            complete = False
            continue
        left -= len(entries)
        files.extend(each for each in entries if each.kind == "file" and (any_device or each.device == root.device))
        below = [entry.path for entry in entries if entry.kind == "directory" and entry.device == root.device]
        complete = complete and not (below and depth + 1 >= _DEEPEST)
        waiting.extend((entry, depth + 1) for entry in below if depth + 1 < _DEEPEST)
    return Walk(tuple(files), complete and left > 0)
