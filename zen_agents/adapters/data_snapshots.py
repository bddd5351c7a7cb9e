"""Good copies of files of data sets: made after looks that found nothing wrong, few, and found again by their names.

A copy has its name once it is whole. It is made by descriptor, and shares its bytes with the file where the file system can.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from calendar import timegm
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from time import gmtime, strftime, strptime
from typing import Final, NamedTuple

from zen_agents.adapters.file_holders import somebody_writes
from zen_agents.adapters.linux_view_files import list_directory, look_at_file
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.safe_files import OpenDirectory, open_directory
from zen_agents.clock import SystemClock
from zen_agents.errors import HostError, StalePlanError, UnsafePathError
from zen_agents.ports.host_datasets import SnapshotQuestion
from zen_agents.ports.host_files import FileState

_STAMP: Final = "%Y%m%dT%H%M%SZ"
#: So much of a disk is left free (a tenth).
_LEFT_FREE: Final = 0.1
#: Of a directory in which others keep things as well.
_MOST_FILES: Final = 100_000
#: Beside a database that somebody writes, or has written and not ended.
_LOG: Final = "-wal"


class _Copy(NamedTuple):
    taken_at: float
    #: Which state of the file it is.
    mark: str
    state: FileState


class Snapshots:
    """The copies of one file: `FILE.MOMENT.MARK.good`, in the state below the name of the data set, or where it is said."""

    def __init__(self, state_dir: str | Path, dataset: str, path: str, directory: str) -> None:
        self._folder = directory or str(Path(state_dir).resolve() / "snapshots" / dataset)
        self._is_own, self._state_dir = not directory, Path(state_dir)
        self._file = path.rpartition("/")[2]
        self._name = re.compile(rf"{re.escape(self._file)}\.(\d{{8}}T\d{{6}}Z)\.([0-9a-f]{{16}})\.good")

    def found(self) -> Sequence[FileState]:
        """Return them, the newest first."""
        return [each.state for each in self.copies()]

    def copies(self) -> Sequence[_Copy]:
        """Return them with what their names say, the newest first."""
        states = list_directory(self._folder, _MOST_FILES) if Path(self._folder).is_dir() else ()
        named = ((self._name.fullmatch(each.path.rpartition("/")[2]), each) for each in states if each.kind == "file")
        copies = [_Copy(timegm(strptime(name[1], _STAMP)), name[2], each) for name, each in named if name is not None]
        return sorted(copies, key=lambda each: -each.taken_at)

    def add(self, source: int, like: FileState, mark: str, now: float) -> None:
        """Copy an open file under its name, durably and at once; HostError if there is no room for it.

        StalePlanError if it was written meanwhile.
        """
        if self._is_own:
            for folder in (Path(self._folder).parent, Path(self._folder)):
                folder.mkdir(mode=0o700, exist_ok=True)
        before = os.fstat(source)
        self._refuse_full(before.st_size)
        name = f"{self._file}.{strftime(_STAMP, gmtime(now))}.{mark}.good"
        with self._opened(self._folder) as directory:
            staged = directory.stage_from(source, like, sha256="")
            try:
                after = os.fstat(source)
                if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
                    raise StalePlanError(f"{like.path} was written while it was copied")
                directory.swap(staged, None, name, action="keep_snapshot")
            except BaseException:
                directory.discard(staged)
                raise

    def prune(self, asked: SnapshotQuestion) -> None:
        """Remove what is more, larger together or older than is kept; the newest stays, as does what somebody reads."""
        room = asked.most_bytes
        with self._opened(self._folder) as directory:
            for number, each in enumerate(self.copies()):
                room -= each.state.size
                is_old = asked.now - each.taken_at > asked.age_seconds
                if number and (number >= asked.copies or room < 0 or is_old):
                    with suppress(UnsafePathError):
                        directory.remove(each.state)

    def _refuse_full(self, size: int) -> None:
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            raise HostError(f"{self._folder}: {error.strerror}") from error
        if disk.f_bavail * disk.f_frsize - size < _LEFT_FREE * disk.f_blocks * disk.f_frsize:
            raise HostError(f"the disk of {self._folder} would have less than a tenth left")

    def add_file(self, asked: SnapshotQuestion, mark: str) -> None:
        """Copy the very file that was looked at; StalePlanError if it has changed since, or somebody writes it."""
        file = asked.seen
        with self._opened(file.path.rpartition("/")[0] or "/") as directory, directory.reading(file) as source:
            if somebody_writes(source, file.path):
                raise StalePlanError(f"somebody has {file.path} open to write to it")
            self.add(source, file, mark, asked.now)

    def _opened(self, folder: str) -> AbstractContextManager[OpenDirectory]:
        # It notes the private name of a copy in the making, so that a crash leaves nothing for ever.
        notes = Quarantine(self._state_dir / "quarantine", SystemClock())
        return open_directory(folder, go_on=lambda: None, quarantine=notes)


async def keep_snapshot(state_dir: str | Path, asked: SnapshotQuestion) -> bool:
    """See `ports.host_datasets.DatasetView`."""
    kept, mark = Snapshots(state_dir, asked.look.dataset, asked.seen.path, asked.directory), _mark(asked)
    newest = next(iter(kept.copies()), None)
    # One of a time to come was made by a clock that was wrong.
    if newest is not None and (newest.mark == mark or 0 <= asked.now - newest.taken_at < asked.every_seconds):
        return False
    if asked.seen.size > asked.most_bytes:
        raise HostError(f"{asked.seen.path} is larger than `keep_snapshots.size`")
    try:
        if asked.is_database:
            from zen_agents.adapters.database_copies import copied  # noqa: PLC0415 - only where a database is one

            async with copied(asked.look) as source:
                await asyncio.to_thread(kept.add, source, asked.seen, mark, asked.now)
        else:
            await asyncio.to_thread(kept.add_file, asked, mark)
        await asyncio.to_thread(kept.prune, asked)
    except (StalePlanError, UnsafePathError, OSError) as error:
        raise HostError(str(error)) from error
    return True


def _mark(asked: SnapshotQuestion) -> str:
    """Return what is another once the file was written; a database is written in the log beside it first."""
    log = look_at_file(f"{asked.seen.path}{_LOG}") if asked.is_database else None
    return hashlib.sha256(f"{asked.seen.fingerprint} {log.fingerprint if log else ''}".encode()).hexdigest()[:16]
