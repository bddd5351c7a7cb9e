"""Follows logs over rotations, truncations and restarts.

Of each file the place is kept where reading stopped, and what the file is known by: its number, its first bytes and those
before that place. At each call the file of that name is looked at. If it is still the one, what is new is read. If not,
the one that was read is looked for among the archives beside it, by number (it was renamed) and by content (it was copied,
or compressed); the rest of it is read, then the archives that came after it, then the file that has its name now.
"""

from __future__ import annotations

import functools
import glob
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.adapters.linux_logs_files import COMPRESSED, open_log, originals
from zen_agents.adapters.linux_logs_following import MOST_AT_ONCE, Following, Unpacking, state_of
from zen_agents.adapters.linux_logs_grown import grown
from zen_agents.adapters.linux_logs_position import FileMemory, Position, is_idle
from zen_agents.errors import HostError
from zen_agents.ports.host_logs import Checkpoint, LogChange, LogChunk, LogEvent, LogPiece, LogRequest

if TYPE_CHECKING:
    from zen_agents.adapters.linux_logs_catch_up import CatchUps

#: One source has at most so many files.
MOST_FILES = 1000
#: A directory that changed so lately (nanoseconds) may change once more within the same tick of its file system's clock.
_SETTLED_NS = 3_000_000_000


class LinuxLogs:
    """Reads what is new; what it keeps between calls only saves work."""

    def __init__(self) -> None:
        self._unpacking, self._names = Unpacking(), _Names()

    def new_lines(self, request: LogRequest, checkpoint: Checkpoint | None) -> LogPiece:
        """Return what was written since the checkpoint; see `ports.host_logs`."""
        if not request.path:
            from zen_agents.adapters.linux_logs_journal import new_entries  # noqa: PLC0415 - only for whoever reads it

            return new_entries(request, checkpoint)
        if (saved := _of_one(request.path, checkpoint)) is not None:
            if _is_as_it_was(request.path, saved):
                return LogPiece((), checkpoint or {})
            if (piece := grown(request.path, saved, min(request.most_bytes, MOST_AT_ONCE))) is not None:
                return piece
        return _Call(request, checkpoint, self._unpacking, self._names).made()

    @functools.cached_property
    def catch_ups(self) -> CatchUps:
        """The workers that read on where a source is far behind; each reads by itself."""
        from zen_agents.adapters.linux_logs_catch_up import CatchUps  # noqa: PLC0415 - only where one is that far

        return CatchUps(LinuxLogs().new_lines)

    def close(self) -> None:
        """Let go of the archives that are being unpacked, and end the workers."""
        self._unpacking.close()
        if "catch_ups" in vars(self):
            self.catch_ups.close()


class _Names:
    """Which files a pattern names. A directory is listed again only when something came into it or went."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], frozenset[str]]] = {}

    def of(self, pattern: str) -> frozenset[str]:
        # Taken before the listing: what comes meanwhile changes it.
        version = _version_of(pattern.rpartition("/")[0] or "/")
        known = self._known.get(pattern)
        if known is not None and known[0] == version:
            return known[1]
        names = frozenset(glob.glob(pattern))  # noqa: PTH207 - a Path for each of hundreds of files costs more than the rest
        self._known.pop(pattern, None)
        if version is not None and time.time_ns() - version[-1] > _SETTLED_NS:
            self._known[pattern] = version, names
        return names


def _version_of(directory: str) -> tuple[int, ...] | None:
    """Return what changes when something comes into a directory or goes; None where that cannot be told."""
    if glob.has_magic(directory):
        return None
    try:
        # The directory may be reached over a link, which stays as it is.
        state = os.stat(directory)  # noqa: PTH116 - as above
    except OSError:
        return None
    return state.st_dev, state.st_ino, state.st_mtime_ns


class _Call:
    """One call: goes through the files of one source, each for what is left of the budget."""

    def __init__(self, request: LogRequest, checkpoint: Checkpoint | None, unpacking: Unpacking, names: _Names) -> None:
        self._request, self._unpacking, self._names = request, unpacking, names
        self._is_pattern = glob.has_magic(request.path)
        files = checkpoint.get("files") if checkpoint is not None else None
        self._before = checkpoint
        self._is_first = not isinstance(files, Mapping)
        #: Path -> its `FileMemory` as it was saved: of hundreds of files mostly none is to be read.
        self._saved: dict[str, Any] = dict(files) if isinstance(files, Mapping) else {}
        turn = checkpoint.get("turn") if checkpoint is not None else 0
        self._turn = turn if isinstance(turn, int) else 0
        self._chunks: list[LogChunk] = []
        self._events: list[LogEvent] = []
        self._budget = request.most_bytes
        self._sums = dict.fromkeys(("behind", "skipped", "shortened", "dropped"), 0)

    def made(self) -> LogPiece:
        """Read, and return what was found."""
        paths = self._paths()
        # Who had no turn last time, because one before it took all of the budget, is first now.
        start = self._turn % len(paths) if paths else 0
        self._turn = 0
        for number, path in enumerate([*paths[start:], *paths[:start]], start=start):
            self._follow(path, number)
        checkpoint: Checkpoint = {"files": self._saved, "turn": self._turn}
        if checkpoint == self._before:
            # The very one tells whoever compares it that nothing is new, without going through hundreds of files.
            checkpoint = self._before
        return LogPiece(tuple(self._chunks), checkpoint, tuple(self._events), **self._sums)

    def _paths(self) -> Sequence[str]:
        if not self._is_pattern:
            return (self._request.path,)
        names = self._names.of(self._request.path)
        logs = _logs_among(names)
        self._move_renamed(logs)
        known = [path for path in self._saved if path not in names]
        if len(logs) > MOST_FILES:
            said = f"{len(logs)} files are too many for one source; the first {MOST_FILES} are read"
            self._events.append(LogEvent(self._request.path, LogChange.UNREADABLE, said))
        return [*logs[:MOST_FILES], *known]

    def _move_renamed(self, logs: Sequence[str]) -> None:
        """Let what is remembered go along with a file that has another name of the pattern now."""
        there = set(logs)
        memories = {path: FileMemory.restored(self._saved[path]) for path in self._saved if path not in there}
        gone = {memory.at.inode: path for path, memory in memories.items() if memory is not None}
        for path in logs:
            if gone and path not in self._saved and (state := state_of(path)) and (before := gone.get(state.st_ino)):
                self._saved[path] = self._saved.pop(before)

    def _follow(self, path: str, number: int) -> None:
        try:
            state, saved = state_of(path), self._saved.get(path)
            if state is not None and is_idle(saved, state):
                return
            memory = FileMemory.restored(saved) or self._first(path)
            if self._budget > 0:
                self._read(path, memory)
                return
            self._saved[path] = memory.saved()
            self._turn = self._turn or number
            self._sums["behind"] += max(0, state.st_size - memory.at.offset) if state is not None else 0
        except HostError as error:
            if not self._is_pattern:
                raise
            self._events.append(LogEvent(path, LogChange.UNREADABLE, str(error)))

    def _read(self, path: str, memory: FileMemory) -> None:
        most_behind = self._request.most_behind
        following = Following(path, memory, budget=self._budget, most_behind=most_behind, unpacking=self._unpacking)
        following.run()
        self._chunks += following.chunks
        self._events += following.events
        self._budget = following.budget
        for name in self._sums:
            self._sums[name] += getattr(following, name)
        if following.memory.is_gone and self._is_pattern:
            self._saved.pop(path, None)
        else:
            self._saved[path] = following.memory.saved()

    def _first(self, path: str) -> FileMemory:
        """Return where to begin with a file that was never looked at: at its end if the whole source was not."""
        file = open_log(path)
        if file is None:
            # What is older than this look is none of its business.
            return FileMemory(Position(0, 0, 0, modified_ns=time.time_ns()), is_gone=True)
        try:
            beginning = Position.beginning(file.state)
            size = file.state.st_size
            if not self._is_first or self._request.from_start or size == 0:
                return FileMemory(beginning)
            within = file.read_at(size - 1, 1) != b"\n"
            return FileMemory(beginning.moved(size, file.state, file.read_at, within=within, is_end=True))
        finally:
            file.close()


def _of_one(path: str, checkpoint: Checkpoint | None) -> Any:
    """Return what is remembered of a source that is one file: most are; None of others."""
    files = checkpoint.get("files") if checkpoint is not None else None
    return files.get(path) if type(files) is dict and len(files) == 1 else None


def _is_as_it_was(path: str, saved: Any) -> bool:
    return (state := state_of(path)) is not None and is_idle(saved, state)


@functools.lru_cache(maxsize=16)
def _logs_among(paths: frozenset[str]) -> Sequence[str]:
    """Return, in order, the files that are followed: none that is compressed or is an archive of another of them."""
    return sorted(path for path in paths if not path.endswith(COMPRESSED) and not _is_archive_of_one(path, paths))


def _is_archive_of_one(path: str, paths: frozenset[str]) -> bool:
    directory, slash, name = path.rpartition("/")
    return any(f"{directory}{slash}{original}" in paths for original in originals(name))
