"""What journald keeps and writes: its files, how fast it is written to and by whom, and the limit of one unit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

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


class JournalView(Protocol):
    """Read-only questions about the journal."""

    def journal_entries(self) -> int:
        """Return the number of the newest entry of the system's journal; they are counted through. HostError without one."""
        ...

    def journal_share(self, most: int) -> Mapping[str, int]:
        """Return how many of the newest `most` entries each unit has written; what no unit has written counts as ""."""
        ...

    def log_limit(self, unit: str) -> int | None:
        """Return to how many lines a second the engine limited a unit, None if it did not."""
        ...


class JournalControl(Protocol):
    """Changes to what journald takes."""

    async def limit_log_rate(self, unit: str, lines_per_second: int) -> None:
        """Let journald drop what a unit says beyond this, at once and until the host boots; StalePlanError if it is so."""
        ...

    async def lift_log_rate(self, unit: str) -> None:
        """Take that limit away; StalePlanError if there is none."""
        ...


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
