"""How large log files are, and how much room logs take that were deleted while somebody holds them open.

A deleted file that is still open frees nothing and is shown by no directory; df and du then disagree. Looking for those
reads the descriptors of every process, so it is a check of its own with a slower rhythm.
"""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState
from zen_agents.ports.log_archives import matches

_WILD = frozenset("*?[")


class LogCheck(Check):
    """Observes `log.NAME.bytes` (all files of the pattern) and `log.NAME.largest_bytes`."""

    kind = "log"
    summary = "How large are these log files?"

    def __init__(self, label: str, *, pattern: str, every_seconds: float) -> None:
        super().__init__(name=f"log.{label}", target=f"log:{label}", every_seconds=every_seconds)
        self._pattern = pattern
        self._names = (f"{self.name}.bytes", f"{self.name}.largest_bytes")

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """List the directory; no file at all is 0 bytes, no directory cannot be told."""
        files = matching_files(host, self._pattern)
        total, largest = sum(file.size for file in files), max(files, key=lambda file: file.size, default=None)
        said = f"{len(files)} files with {size_in_words(total)}"
        most = f"{largest.path} has {size_in_words(largest.size)}" if largest else "no file"
        fingerprint = largest.fingerprint if largest else ""
        return (
            measured(self, self._names[0], now, total, said),
            measured(self, self._names[1], now, largest.size if largest else 0, most, fingerprint=fingerprint),
        )


class DeletedLogCheck(Check):
    """Observes `log.NAME.deleted_bytes`: room that deleted but open files of this pattern still take."""

    kind = "deleted_log"
    summary = "Do deleted log files still take room because somebody holds them open?"

    @staticmethod
    def rhythm(every_seconds: float) -> float:
        """Return how often to look, where the files themselves are looked at every so many seconds."""
        return max(every_seconds, 300.0)

    def __init__(self, label: str, *, pattern: str, every_seconds: float) -> None:
        super().__init__(name=f"log.{label}.deleted", target=f"log:{label}", every_seconds=every_seconds)
        self._pattern = pattern
        self._names = (f"log.{label}.deleted_bytes",)

    @property
    def observes(self) -> tuple[str, ...]:
        return self._names

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Go through the deleted files that are open; the same file held twice counts once."""
        held: dict[tuple[str, int], str] = {}
        for process, _, path, size in host.deleted_open_files():
            if matches(path, self._pattern):
                held[path, size] = f"{process.name} ({process.pid})"
        total = sum(size for _, size in held)
        said = f"{size_in_words(total)} held by {', '.join(sorted(set(held.values())))}" if held else ""
        return (measured(self, self._names[0], now, total, said),)


def matching_files(host: HostView, pattern: str) -> Sequence[FileState]:
    """Return the regular files that a path, or a pattern in its last component, names; links are left out."""
    directory, _, last = pattern.rpartition("/")
    if not _WILD & set(last):
        state = host.file(pattern)
        if state is None and host.file(directory or "/") is None:
            raise HostError(f"there is no directory {directory}")
        return (state,) if state is not None and state.kind == "file" else ()
    return [
        state for state in host.list_directory(directory or "/") if state.kind == "file" and matches(state.path, pattern)
    ]
