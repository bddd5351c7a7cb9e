"""Logs and what was rotated from them, told apart by their names; read only by what a configuration uses.

A name has to say so beyond doubt, for such files are removed: `app.log.1`, `app.log-20261127.gz`, `app.log.old`, and
`app-20261127.log` where there is an `app.log` too. `app-2.log` may be the live log of a second instance and is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from zen_agents.ports.host import HostView
    from zen_agents.ports.host_files import FileState

#: How an archive is packed -> the ending of its name.
Packing = Literal["gzip", "zstd"]
PACKED: dict[Packing, str] = {"gzip": ".gz", "zstd": ".zst"}
#: Endings of what is packed, by whomever.
_PACKED = (".gz", ".xz", ".bz2", ".zst", ".lz4", ".zip", ".br")
_DATE = r"(?:19|20)\d\d-?[01]\d-?[0-3]\d(?:[T_.-]?\d[\d:.-]{0,12})?"
_ENDING = r"(?:\.(?:gz|xz|bz2|zst|lz4|zip|br))?"
#: Compiled when they are first asked for: whoever only rotates logs does not.
_BEHIND = rf"(?P<log>.+?)(?:\.\d{{1,4}}|[.-]{_DATE}|\.old){_ENDING}"
_WITHIN = rf"(?P<stem>.+?)[._-]{_DATE}(?P<ending>\.[A-Za-z]{{1,8}}){_ENDING}"


class Archive(NamedTuple):
    """A file that was rotated from a log."""

    state: FileState
    #: The path of the log that it was rotated from.
    log: str

    @property
    def is_packed(self) -> bool:
        """Whether it is compressed already, as its name says."""
        return self.state.path.endswith(_PACKED)

    def is_due_to_be_packed(self, before: float) -> bool:
        """Tell whether it is plain and was last written to before this moment (seconds since the epoch)."""
        return not self.is_packed and self.state.size > 0 and self.state.modified < before


class LogSet(NamedTuple):
    """What there is of a set of logs."""

    logs: Sequence[FileState]
    #: By when they were last written to, the oldest first. None has a second name.
    archives: Sequence[Archive]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(log.size for log in self.logs) + sum(archive.state.size for archive in self.archives)


def log_set(entries: Iterable[FileState], paths: Sequence[str]) -> LogSet:
    """Sort the files of some directories into the logs of these paths, which may hold wildcards, and their archives."""
    files = {(state.device, state.inode): state for state in entries if state.kind == "file"}
    there = {state.path for state in files.values()}
    logs, archives = [], []
    for state in files.values():
        if (log := _rotated_from(state.path, paths, there)) is not None:
            archives += [Archive(state, log)] if state.links == 1 else []
        elif any(matches(state.path, path) for path in paths):
            logs.append(state)
    return LogSet(logs, sorted(archives, key=lambda archive: (archive.state.modified, archive.state.path)))


def log_set_of(host: HostView, paths: Sequence[str]) -> LogSet:
    """Return the logs of these paths and their archives; HostError if one of the directories cannot be listed."""
    return log_set((state for directory in directories(paths) for state in host.list_directory(directory)), paths)


def directories(paths: Iterable[str]) -> Sequence[str]:
    """Return the directories of some paths, each once."""
    return list(dict.fromkeys(path.rpartition("/")[0] or "/" for path in paths))


def matches(path: str, pattern: str) -> bool:
    """Tell whether a path is in the pattern's directory and its name fits the pattern's last component."""
    directory, _, name = path.rpartition("/")
    wanted_directory, _, wanted = pattern.rpartition("/")
    # A name that starts with a dot is hidden from a wildcard, as in a shell.
    return directory == wanted_directory and fnmatchcase(name, wanted) and (name[:1] != "." or wanted[:1] == ".")


def _rotated_from(path: str, paths: Sequence[str], there: Collection[str]) -> str | None:
    """Return the path of the log that a file was rotated from, None if it may be a log itself."""
    for log, is_sure in _originals(path):
        if not any(matches(log, pattern) for pattern in paths):
            continue
        # What the list names itself is an archive only beside its log: `*` names everything.
        if log in there or (is_sure and not any(matches(path, pattern) for pattern in paths)):
            return log
    return None


def _originals(path: str) -> Iterator[tuple[str, bool]]:
    """Yield the logs that a file may have been rotated from, and whether its name alone is enough to say so."""
    directory, slash, name = path.rpartition("/")
    if behind := re.fullmatch(_BEHIND, name):
        yield f"{directory}{slash}{behind['log']}", True
    if within := re.fullmatch(_WITHIN, name):
        yield f"{directory}{slash}{within['stem']}{within['ending']}", False
