"""Opens the files of a data set, each component of its path by itself, and gives each a name of our own to be read by.

No link is followed: whoever may write in a directory on the way could otherwise have another file shown in the evidence.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from zen_agents.datasets.file_sql import OpenedFiles
from zen_agents.datasets.source import Source
from zen_agents.workers.lesser_account import NOBODY, account_of

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WILD = frozenset("*?[")
MOST_FILES = 10_000


class DataFileError(Exception):
    """A file cannot be opened; the message says which and why. `is_missing`: there is none."""

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self.is_missing = is_missing


class DataFiles:
    """The files of one data set, held open."""

    def __init__(self, source: Source, held: Mapping[str, int] | None = None) -> None:
        """Open them, unless they are held already; raises DataFileError."""
        self._source = source
        self._held = held or dict(sorted(_matching(source.path)))
        if not self._held:
            raise DataFileError(f"no file matches {source.path}", is_missing=True)
        self._states = {path: os.fstat(descriptor) for path, descriptor in self._held.items()}

    def states(self) -> Sequence[os.stat_result]:
        """Return what each was when it was opened."""
        return [*self._states.values()]

    def one_by_one(self) -> Mapping[str, DataFiles]:
        """Return each by its path as a data set of its own."""
        return {path: DataFiles(self._source, {path: descriptor}) for path, descriptor in self._held.items()}

    def has_changed(self) -> bool:
        """Tell whether any was written since."""
        now = (os.fstat(descriptor) for descriptor in self._held.values())
        return any(
            (one.st_size, one.st_mtime_ns) != (other.st_size, other.st_mtime_ns)
            for one, other in zip(self._states.values(), now, strict=True)
        )

    def account(self) -> tuple[int, int]:
        """Return as whom they are read: the account that is named, nobody if everybody may, else the owner of the first."""
        if self._source.user:
            return account_of(self._source.user)
        if all(state.st_mode & stat.S_IROTH for state in self._states.values()):
            return NOBODY, NOBODY
        first = next(iter(self._states.values()))
        return (first.st_uid, first.st_gid) if first.st_uid else (NOBODY, NOBODY)

    def owner(self) -> tuple[int, int]:
        """Return as whom what is to take their place is written: the account that is named, else the owner of the first.

        Nobody is only for files of root's: what nobody writes, whoever else is nobody could change.
        """
        first = next(iter(self._states.values()))
        return (first.st_uid, first.st_gid) if first.st_uid and not self._source.user else self.account()

    def linked(self, folder: Path) -> OpenedFiles:
        """Return them under names in a private directory, with the parts of their path that say a value (`year=2026`).

        Raises DataFileError for one that this account may not read.
        """
        paths = {}
        for number, (path, descriptor) in enumerate(self._held.items()):
            place = f"/proc/self/fd/{descriptor}"
            if not os.access(place, os.R_OK):
                raise DataFileError(f"{path} may be read by its owner alone; name an account that may: `user`")
            parts = [part for part in Path(path).parts[:-1] if "=" in part] if self._source.options.partitions else []
            beside = folder.joinpath(*parts)
            beside.mkdir(parents=True, exist_ok=True)
            link = beside / f"{number:05}{''.join(Path(path).suffixes[-2:])}"
            link.symlink_to(place)
            paths[str(link)] = path
        states = self._states.values()
        return OpenedFiles(paths, max(each.st_mtime for each in states), not any(each.st_size for each in states))

    @property
    def places(self) -> Sequence[str]:
        """Return where each is, for a list of what may be opened."""
        return [f"/proc/self/fd/{descriptor}" for descriptor in self._held.values()]


def identity_of(state: os.stat_result) -> tuple[int, int, int, int]:
    """Return what tells that a file is the one that was looked at, and was not written since."""
    return state.st_dev, state.st_ino, state.st_size if stat.S_ISREG(state.st_mode) else -1, state.st_mtime_ns


def _matching(path: str) -> Iterator[tuple[str, int]]:
    """Yield (path, descriptor) of each regular file that a path with wildcards names."""
    root = os.open("/", _DIRECTORY)
    try:
        for number, found in enumerate(_below(root, "", [part for part in path.split("/") if part])):
            if number >= MOST_FILES:
                raise DataFileError(f"{path} matches more than {MOST_FILES} files")
            yield found
    finally:
        os.close(root)


def _below(directory: int, so_far: str, parts: Sequence[str]) -> Iterator[tuple[str, int]]:
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _below(directory, so_far, rest)
        names: Sequence[str] = [each for each in os.listdir(directory) if not each.startswith(".")]
    else:
        names = _names(directory, part)
    for each in names:
        place = f"{so_far}/{each}"
        try:
            deeper = os.open(each, _DIRECTORY if rest else _FILE, dir_fd=directory)
        except OSError as error:
            if _may_be_skipped(error, part, each, directory):
                continue
            raise DataFileError(_why(place, error), is_missing=isinstance(error, FileNotFoundError)) from error
        if not rest:
            if stat.S_ISREG(os.fstat(deeper).st_mode):
                yield place, deeper
                continue
            os.close(deeper)
            if not _WILD & set(part):
                raise DataFileError(f"{place} is no regular file")
            continue
        try:
            yield from _below(deeper, place, parts if part == "**" else rest)
        finally:
            os.close(deeper)


def _names(directory: int, part: str) -> Sequence[str]:
    if not _WILD & set(part):
        return [part]
    hidden = part.startswith(".")
    return [each for each in os.listdir(directory) if fnmatch.fnmatchcase(each, part) and (hidden or each[0] != ".")]


def _may_be_skipped(error: OSError, part: str, each: str, directory: int) -> bool:
    """Tell whether a wildcard met something else than what is looked for; a link is never simply skipped."""
    if not _WILD & set(part):
        return False
    state = os.stat(each, dir_fd=directory, follow_symlinks=False)
    return isinstance(error, NotADirectoryError) and not stat.S_ISLNK(state.st_mode)


def _why(place: str, error: OSError) -> str:
    if error.errno in (40, 20):
        return f"{place} is a link or no directory; write the real path in the contract"
    if error.errno == errno.ENXIO:  # a socket
        return f"{place} is no regular file"
    return f"{place} cannot be opened: {error.strerror}"
