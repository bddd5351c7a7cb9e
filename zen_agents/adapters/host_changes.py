"""What changed on a host within a time: packages by dpkg's log, files by their times.

Commands look at it, and the engine beside a repair. All text that comes back is untrusted: it is shown, never obeyed.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from zen_agents.dataclass import dataclass

#: dpkg's log, the older one behind it.
DPKG_LOGS = (Path("/var/log/dpkg.log"), Path("/var/log/dpkg.log.1"))
#: No more of one log is read than its last so many bytes: some 25,000 lines.
_MOST_LOG_BYTES = 2 * 1024 * 1024
#: Entries of one directory that are looked at.
_MOST_ENTRIES = 500
#: A file system that does not answer within this (seconds) keeps nobody waiting longer.
_ANSWER_WITHIN = 0.3
_PACKAGE_WORDS = frozenset({"install", "upgrade", "remove", "purge"})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed."""

    at: datetime
    #: package, file or action.
    kind: str
    what: str

    def body(self) -> dict[str, str]:
        """Return the change as plain JSON."""
        return {"at": self.at.isoformat(), "kind": self.kind, "what": self.what}


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed, and what cannot be told."""

    found: Sequence[Change]
    #: Sentences about what could not be looked at, empty if all of it was.
    unknown: Sequence[str] = ()


def package_changes(
    since: datetime, until: datetime, logs: Sequence[Path] = DPKG_LOGS, *, most_bytes: int = _MOST_LOG_BYTES
) -> Changes:
    """Return packages that were installed, upgraded or removed, oldest first; never raises.

    Of each log the last `most_bytes` are read.
    """
    found: list[Change] = []
    for log in logs:
        try:
            lines = _last_lines(log, most_bytes)
        except FileNotFoundError:
            if log == logs[0]:
                return Changes((), (f"packages: there is no {log}",))
            break
        except OSError as error:
            return Changes(found, (f"packages: {log} cannot be read: {error.strerror}",))
        found[:0] = _package_lines(lines, since, until)
        if lines and lines[0][:19] < _local(since):
            break
    return Changes(found)


def _last_lines(log: Path, most_bytes: int) -> list[str]:
    """Return the last lines of a log, the first of them whole."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - most_bytes))
        lines = file.read(most_bytes).decode(errors="replace").split("\n")
    return lines[size > most_bytes : -1]


def _local(moment: datetime) -> str:
    """Return a moment as dpkg writes it: in this host's zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def _package_lines(lines: Iterable[str], since: datetime, until: datetime) -> Iterator[Change]:
    low, high = _local(since), _local(until)
    for line in lines:
        words = line.split(" ")
        if not low <= line[:19] <= high or len(words) < 6 or words[2] not in _PACKAGE_WORDS:
            continue
        try:
            at = datetime.fromisoformat(line[:19]).astimezone(UTC)
        except ValueError:
            continue  # cut off while it was written
        versions = " -> ".join(version for version in words[4:6] if version != "<none>")
        yield Change(at, "package", f"{words[2]} {words[3]} {versions}")


def file_changes(paths: Sequence[str], since: datetime, until: datetime) -> Changes:
    """Return files at and directly in these paths whose content, mode or owner changed, oldest first; never raises.

    Only the last change of a file is known to its file system.
    """
    found: list[Change] = []
    unknown: list[str] = []
    done = threading.Event()

    def look() -> None:
        for path in paths:
            try:
                found.extend(_at_and_in(path, since.timestamp(), until.timestamp()))
            except FileNotFoundError:
                unknown.append(f"files: {path} is not there (any more)")
            except (OSError, ValueError) as error:
                unknown.append(f"files: {path}: {error.strerror if isinstance(error, OSError) else error}")
        done.set()

    # A dead mount never answers; what was found by then is told.
    threading.Thread(target=look, daemon=True).start()
    if not done.wait(_ANSWER_WITHIN):
        unknown.append(f"files: not all of {len(paths)} watched paths answered within {_ANSWER_WITHIN:g} s")
    return Changes(sorted(found, key=lambda change: change.at), tuple(unknown))


def _at_and_in(path: str, since: float, until: float) -> Iterator[Change]:
    # Links are looked at, never followed.
    at = os.lstat(path)
    if change := _change(path, at, since, until):
        yield change
    if not stat.S_ISDIR(at.st_mode):
        return
    with os.scandir(path) as entries:
        for count, entry in enumerate(entries):
            if count >= _MOST_ENTRIES:
                return
            if change := _change(entry.path, entry.stat(follow_symlinks=False), since, until):
                yield change


def _change(path: str, found: os.stat_result, since: float, until: float) -> Change | None:
    at = max(found.st_mtime, found.st_ctime)
    if not since <= at <= until:
        return None
    how = "" if found.st_ctime - found.st_mtime < 1 else " (mode, owner or name)"
    return Change(datetime.fromtimestamp(at, UTC), "file", f"{path}{how}")
