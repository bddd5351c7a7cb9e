"""How full the file system of a temporary directory is, and how much in it is old enough to go.

The age of a file is the newest of its access, change and modification times, so that a file somebody still reads or has just
moved there is not old.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, share_percent, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState
from zen_agents.ports.walk import walk


class TempDirCheck(Check):
    """Observes `temp_dir.NAME.percent` (of its file system), `.bytes` and `.stale_files` (what is old enough to go).

    The percentage is that of the room or of the inodes, whichever is fuller: a file needs both.
    """

    kind = "temp_dir"
    summary = "How much in this temporary directory is old enough to go?"

    def __init__(self, label: str, *, path: str, older_than_seconds: float, every_seconds: float) -> None:
        super().__init__(
            name=f"temp_dir.{label}", target=f"temp_dir:{label}", every_seconds=every_seconds, timeout_seconds=20.0
        )
        self._path, self._older_than_seconds = path, older_than_seconds
        self._names = (f"{self.name}.percent", f"{self.name}.bytes", f"{self.name}.stale_files")

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask the file system, and walk the directory."""
        found = walk(host, self._path)
        if found is None:
            return self.unknown(
                now, f"{self._path} does not exist; list it under `paths` with `create: true` to have it made"
            )
        before = now.wall.timestamp() - self._older_than_seconds
        stale = [file for file in found.files if last_touched(file) <= before]
        percent, size, count = self._names
        full = self._percent(percent, host, now)
        if not stale and not found.complete:
            why = f"{self._path} has more files than one look goes through, and none of those seen is old"
            return full, untold(self, size, now, why), untold(self, count, now, why)
        total = sum(file.size for file in stale)
        least = "" if found.complete else "at least "
        said = f"{least}{len(stale)} old files with {size_in_words(total)} in {self._path}"
        return full, measured(self, size, now, total, said), measured(self, count, now, len(stale), said)

    def _percent(self, name: str, host: HostView, now: Instant) -> Observation:
        use = host.disk_use(self._path)
        if use.inodes_are_scarcer:
            percent = share_percent(use.total_inodes - use.free_inodes, use.total_inodes)
            said = f"{percent:.0f} % of the inodes of the file system of {self._path} are in use"
        else:
            percent = share_percent(use.total_bytes - use.free_bytes, use.total_bytes)
            said = f"the file system of {self._path} is {percent:.0f} % full"
        return measured(self, name, now, percent, said)


def last_touched(file: FileState) -> float:
    """Return the newest of a file's three times, in seconds since the epoch."""
    return max(file.accessed, file.modified, file.changed)
