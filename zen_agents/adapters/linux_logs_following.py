"""One log: what is new in it, wherever rotation has put it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from zen_agents.adapters.linux_logs_files import Archive, LogFile, Unpacked, archives_of, open_log
from zen_agents.adapters.linux_logs_position import FileMemory, Position
from zen_agents.adapters.linux_view_reading import raise_unless_gone
from zen_agents.errors import HostError
from zen_agents.logs.lines import LONGEST_LINE, cut, refuse_encoding
from zen_agents.model.units import size_in_words
from zen_agents.ports.host_logs import LogChange, LogChunk, LogEvent

#: One read, and the least, which has to be longer than a line.
MOST_AT_ONCE, _LEAST_READ = 1 << 20, 2 * LONGEST_LINE
#: A log that is too far behind is looked at in so many places.
_SAMPLES = 16
#: Files gone through in one call; what is left comes with the next.
_MOST_FILES = 20
#: Compressed archives that are kept open between calls.
_MOST_OPEN = 4

Source = LogFile | Unpacked


class Unpacking:
    """The compressed archives that are being read, over the calls that it takes. Each is used by one call at a time."""

    def __init__(self) -> None:
        self._idle: dict[tuple[int, int], Unpacked] = {}

    def take(self, archive: Archive, *, before: int) -> Unpacked | None:
        """Return an archive that can still be read from a place on; None if it is gone."""
        kept = self._idle.pop((archive.state.st_dev, archive.state.st_ino), None)
        if kept is not None:
            if kept.is_before(before):
                return kept
            kept.close()
        file = open_log(archive.path)
        if file is None:
            return None
        try:
            return Unpacked(file)
        finally:
            file.close()

    def keep(self, unpacked: Unpacked) -> None:
        """Keep one for the next call."""
        self._idle[unpacked.state.st_dev, unpacked.state.st_ino] = unpacked
        while len(self._idle) > _MOST_OPEN:
            self._idle.pop(next(iter(self._idle))).close()

    def close(self) -> None:
        """Let go of all that are kept."""
        while self._idle:
            self._idle.popitem()[1].close()


class Following:
    """What one call does with one path. What it found is in its attributes."""

    def __init__(self, path: str, memory: FileMemory, *, budget: int, most_behind: int, unpacking: Unpacking) -> None:
        self.path, self.memory, self.budget = path, memory, budget
        self.chunks: list[LogChunk] = []
        self.events: list[LogEvent] = []
        self.behind = self.skipped = self.shortened = self.dropped = 0
        self._most_behind, self._unpacking = most_behind, unpacking

    def run(self) -> None:
        """Read what is new, about as much as the budget; HostError if the path cannot be read."""
        self._read_late()
        live = open_log(self.path)
        try:
            for _ in range(_MOST_FILES):
                if live is not None and self._is_in(live):
                    self._read_live(live)
                    return
                if not self._go_on(live):
                    return
        finally:
            if live is not None:
                live.close()

    # -- the file that has the name now -------------------------------------------------------------------------------
    def _is_in(self, live: LogFile) -> bool:
        """Tell whether it is the one that was read last; or the one before, of a file system that is back."""
        at = self.memory.at
        if _holds(live, at):
            # Of a file of which nothing was read yet only its archives tell whether it was truncated meanwhile.
            return at.offset > 0 or not self._newer_than(at, archives_of(self.path))
        elsewhere = self.memory.elsewhere
        if elsewhere is None or not _holds(live, elsewhere):
            return False
        self.memory = self.memory._replace(at=elsewhere, elsewhere=None, is_gone=True)
        return True

    def _read_live(self, live: LogFile) -> None:
        if self.memory.is_gone:
            self._tell(LogChange.BACK)
            self.memory = self.memory._replace(is_gone=False)
        if live.state.st_size - self.memory.at.offset > self._most_behind:
            self._sample(live)
        if not self._read(live, ended=False):
            self.behind += max(0, live.state.st_size - self.memory.at.offset)

    def _sample(self, live: LogFile) -> None:
        """Leave out most of what there is to read, and look at parts of it evenly."""
        at, size = self.memory.at.offset, live.state.st_size
        goal = size - self._most_behind // 4
        looked_at = 0
        for number in range(_SAMPLES):
            found = cut(live.read_at(at + (goal - at) * number // _SAMPLES, min(_LEAST_READ, goal - at)), within=True)
            looked_at += len(found.lines)
            self.chunks.append(LogChunk(self.path, found.lines, sampled=True))
        self.skipped += goal - at - looked_at
        left_out = f"{size_in_words(looked_at)} of {size_in_words(goal - at)} were looked at"
        self._tell(
            LogChange.SKIPPED, f"it grows faster than it is read and was {size_in_words(size - at)} behind; {left_out}"
        )
        self._move(live, goal, within=True, is_end=False)

    # -- its archives -------------------------------------------------------------------------------------------------
    def _go_on(self, live: LogFile | None) -> bool:
        """Read the rest of the archive that holds the place; True if another file is next."""
        archives = archives_of(self.path)
        for archive in self._candidates(archives):
            source = self._opened(archive)
            if source is not None:
                return self._read_archive(archive, source, archives, live)
        return self._begin_anew(archives, live)

    def _candidates(self, archives: Sequence[Archive]) -> Sequence[Archive]:
        """Return the archives that may hold the place, the likeliest first."""
        at = self.memory.at
        if at.offset == 0:
            # Of nothing there is no content to know it by: what was written first since then is next.
            return self._newer_than(at, archives)[:1]
        return sorted(archives, key=lambda archive: archive.state.st_ino != at.inode)

    def _opened(self, archive: Archive) -> Source | None:
        """Return an archive, open, if it holds the place."""
        try:
            if archive.is_compressed:
                return self._unpacked(archive)
            file = open_log(archive.path)
        except HostError:
            # It went while it was looked at, or is damaged: another may hold the place, and that none does is said.
            return None
        if file is None or _holds(file, self.memory.at):
            return file
        file.close()
        return None

    def _unpacked(self, archive: Archive) -> Unpacked | None:
        at = self.memory.at
        source = self._unpacking.take(archive, before=at.offset)
        if source is None:
            return None
        try:
            # To come to the place may take several calls; only there it can be told whether it is the one.
            if at.begins(source.state, source.read_at) and (not source.has_come_to(at.offset) or at.ends(source.read_at)):
                return source
        except HostError:
            source.close()
            raise
        source.close()
        return None

    def _read_archive(self, archive: Archive, source: Source, archives: Sequence[Archive], live: LogFile | None) -> bool:
        newer = [one for one in _oldest_first(archives) if one.state.st_mtime_ns > archive.state.st_mtime_ns]
        is_plain = isinstance(source, LogFile)
        # Until the next file is written to, whoever had this one open may go on with it.
        ended = bool(newer) or (live is not None and live.state.st_size > 0)
        through = False
        try:
            if isinstance(source, LogFile) or source.has_come_to(self.memory.at.offset):
                through = self._read(source, ended=ended)
        except HostError as error:
            self._tell(LogChange.LOST, str(error))
            through = ended = True
        finally:
            if isinstance(source, Unpacked) and not through:
                self._unpacking.keep(source)
            else:
                source.close()
        if not through:
            waiting = [archive.state.st_size - self.memory.at.offset, *(one.state.st_size for one in newer)]
            self.behind += sum(max(0, size) for size in waiting) + (live.state.st_size if live is not None else 0)
        last = self.memory.at
        if not through or not ended or not self._go_to(newer, archives, live):
            return False
        self.memory = self.memory._replace(late=last if is_plain else None, late_path=archive.path if is_plain else "")
        self._tell(LogChange.ROTATED, f"the one before is {archive.path}")
        return True

    def _begin_anew(self, archives: Sequence[Archive], live: LogFile | None) -> bool:
        """Go to what is newer than the file that is nowhere to be found; False if there is nothing."""
        at, newer = self.memory.at, self._newer_than(self.memory.at, archives)
        if at.offset == 0 and newer and newer[0].state.st_ino == at.inode:
            self._tell(LogChange.LOST, f"{newer[0].path} cannot be read")
            newer = newer[1:]
        if not self._go_to(newer, archives, live):
            if not self.memory.is_gone:
                self._tell(LogChange.VANISHED)
                self.memory = self.memory._replace(is_gone=True)
            return False
        if live is not None and live.state.st_ino == at.inode:
            self._tell(LogChange.TRUNCATED)
        elif at.offset:
            self._tell(
                LogChange.LOST, f"it was made anew; what was written to the one before after byte {at.offset} is not there"
            )
        if live is not None and at.offset and live.state.st_dev != at.device:
            self.memory = self.memory._replace(elsewhere=at)
        return True

    def _go_to(self, newer: Sequence[Archive], archives: Sequence[Archive], live: LogFile | None) -> bool:
        if newer:
            place = Position.beginning(newer[0].state)
        elif live is not None:
            place = Position.beginning(live.state)
            # All there are have been read, or are older than what was.
            known = max((archive.state.st_mtime_ns for archive in archives), default=0)
            place = place._replace(modified_ns=max(place.modified_ns, known))
        else:
            return False
        self.memory = self.memory._replace(at=place)
        return True

    def _newer_than(self, at: Position, archives: Sequence[Archive]) -> Sequence[Archive]:
        """Return the archives that were written to after a place was, the oldest first, but for the one just read."""
        newer = [archive for archive in _oldest_first(archives) if archive.state.st_mtime_ns > at.modified_ns]
        return [archive for archive in newer if not self._is_late(archive)]

    def _is_late(self, archive: Archive) -> bool:
        late = self.memory.late
        if late is None or archive.state.st_ino != late.inode or archive.is_compressed:
            return False
        # Its number may be that of another file by now.
        file = open_log(archive.path)
        if file is None:
            return False
        try:
            return _holds(file, late)
        finally:
            file.close()

    # -- reading ------------------------------------------------------------------------------------------------------
    def _read(self, source: Source, *, ended: bool) -> bool:
        """Read on from the place; True if that came to the end. With `ended` nothing will be added to the last line."""
        at, within, through = self.memory.at.offset, self.memory.at.within, False
        wanted = max(_LEAST_READ, min(MOST_AT_ONCE, self.budget))
        while self.budget > 0 and not through and wanted >= _LEAST_READ:
            chunk = source.read_at(at, wanted)
            if at == 0:
                refuse_encoding(chunk)
            through = len(chunk) < wanted
            found = cut(chunk, within=within, last=ended and through)
            if found.lines:
                self.chunks.append(LogChunk(self.path, found.lines))
            at, within = at + found.used, found.within
            self.shortened += found.shortened
            self.dropped += found.dropped
            self.budget -= found.used
            wanted = min(MOST_AT_ONCE, self.budget)
        self._move(source, at, within=within, is_end=through)
        return through

    def _read_late(self) -> None:
        """Read what was still written to a file after it was rotated."""
        late, path = self.memory.late, self.memory.late_path
        state = state_of(path) if late is not None else None
        if late is None or (state is not None and late.is_unchanged(state)):
            return
        file = open_log(path) if state is not None else None
        if file is None or not _holds(file, late):
            self.memory = self.memory._replace(late=None, late_path="")
            if file is not None:
                file.close()
            return
        now = self.memory.at
        self.memory = self.memory._replace(at=late)
        try:
            self._read(file, ended=False)
            self.memory = self.memory._replace(at=now, late=self.memory.at)
        finally:
            file.close()

    def _move(self, source: Source, offset: int, *, within: bool, is_end: bool) -> None:
        at = self.memory.at.moved(offset, source.state, source.read_at, within=within, is_end=is_end)
        self.memory = self.memory._replace(at=at)

    def _tell(self, change: LogChange, detail: str = "") -> None:
        self.events.append(LogEvent(self.path, change, detail))


def state_of(path: str) -> os.stat_result | None:
    """Return what lstat says, None if there is nothing; HostError if that cannot be told."""
    try:
        return os.lstat(path)
    except OSError as error:
        raise_unless_gone(path, error)
        return None


def _holds(file: LogFile, place: Position) -> bool:
    return file.state.st_size >= place.offset and place.begins(file.state, file.read_at) and place.ends(file.read_at)


def _oldest_first(archives: Sequence[Archive]) -> Sequence[Archive]:
    return archives[::-1]
