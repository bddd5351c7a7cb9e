"""How much room a set of logs takes with what was rotated from them, and which of that is due to go or to be packed.

The age of an archive is when it was last written to: rotation renames it, and reading it is no use of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.log_archives import Archive, log_set_of


class LogArchivesCheck(Check):
    """Observes `log_archives.NAME.bytes` (logs and archives), `.old_files` and `.plain_files` (archives that are due)."""

    kind = "log_archives"
    summary = "How much room do these logs and their archives take, and which archives are due?"

    def __init__(
        self, label: str, *, paths: Sequence[str], older_than_seconds: float | None, pack_after_seconds: float | None,
        every_seconds: float,
    ) -> None:  # fmt: skip
        """None for an age: no archive is ever due for that."""
        super().__init__(name=f"log_archives.{label}", target=f"log_archives:{label}", every_seconds=every_seconds)
        self._paths = tuple(paths)
        self._old, self._plain = (inf if age is None else age for age in (older_than_seconds, pack_after_seconds))
        self._names = (f"{self.name}.bytes", f"{self.name}.old_files", f"{self.name}.plain_files")

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """List the directories and add up; a directory that is not there cannot be told."""
        found, at = log_set_of(host, self._paths), now.wall.timestamp()
        old = [each for each in found.archives if each.state.modified < at - self._old]
        plain = [each for each in found.archives if each.is_due_to_be_packed(at - self._plain)]
        said = f"{size_in_words(found.size)} in {len(found.logs)} logs and {len(found.archives)} archives"
        size, olds, plains = self._names
        return (
            measured(self, size, now, found.size, said),
            measured(self, olds, now, len(old), _said(old)),
            measured(self, plains, now, len(plain), _said(plain)),
        )


def _said(archives: Sequence[Archive]) -> str:
    size = sum(archive.state.size for archive in archives)
    return f"{len(archives)} with {size_in_words(size)}, the oldest is {archives[0].state.path}" if archives else "none"
