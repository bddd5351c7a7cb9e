"""The files that journald keeps; read only by what a configuration uses, and so beside the port."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from zen_agents.errors import HostError

if TYPE_CHECKING:
    from zen_agents.ports.host import HostView

_HOMES = ("/var/log/journal", "/run/log/journal")
#: `system@SEQUENCE-NUMBER-MOMENT.journal` of a file that was closed in order, `system@MOMENT-CHANCE.journal~` of others.
_CLOSED = re.compile(r"@[0-9a-f]{32}-(?P<number>[0-9a-f]{16})-(?P<began>[0-9a-f]{16})\.journal$")
_LEFT_OPEN = re.compile(r"@(?P<began>[0-9a-f]{16})-[0-9a-f]{16}\.journal~$")


class JournalFile(NamedTuple):
    """One file of this host's own journal."""

    path: str
    size: int
    #: Seconds since the epoch of its newest entry, more or less: when it was last written to.
    modified: float
    #: The same of its oldest entry, 0 where it is not told; the order in which journald removes files.
    began: float
    #: journald does not write to it any more.
    archived: bool


def journal_files(host: HostView) -> Sequence[JournalFile]:
    """Return the files of this host's own journal, oldest first; HostError if it keeps none."""
    found: list[JournalFile] = []
    for home in _HOMES:
        folder = f"{home}/{host.machine_id()}"
        if host.machine_id() and host.file(folder) is not None:
            found += [
                JournalFile(entry.path, entry.size, entry.modified, *_age(entry.path))
                for entry in host.list_directory(folder)
                if entry.kind == "file" and entry.path.endswith((".journal", ".journal~"))
            ]
    if not found:
        raise HostError("this host keeps no journal; is systemd-journald running?")
    return sorted(found, key=lambda file: (file.began or file.modified, file.path))


def _age(path: str) -> tuple[float, bool]:
    """Return when a file's oldest entry was written, and whether it is closed."""
    named = _CLOSED.search(path) or _LEFT_OPEN.search(path)
    return (int(named["began"], 16) / 1e6, True) if named else (0.0, False)
