"""Files as lstat tells of them, and those that were taken into the quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from zen_agents.dataclass import dataclass


class FileState(NamedTuple):
    """What lstat says of a path: links are not followed."""

    path: str
    #: "file", "directory", "link", "socket", "fifo", "device".
    kind: str
    #: Permission bits with setuid, setgid and sticky, as an integer.
    mode: int
    owner: int
    group: int
    size: int
    #: Seconds since the epoch.
    modified: float
    changed: float
    accessed: float
    device: int
    inode: int
    links: int

    @property
    def fingerprint(self) -> str:
        """`device:inode:changed_ns`."""
        return f"{self.device}:{self.inode}:{int(self.changed * 1e9)}"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was moved into the quarantine, and what it was."""

    id: str
    #: Where it was.
    path: str
    #: SHA-256 of its content, hex.
    sha256: str
    size: int
    #: As it is given back: never with setuid or setgid.
    mode: int
    owner: int
    group: int
    #: Seconds since the epoch.
    modified: float


class FileView(Protocol):
    """Read-only questions about files; what they hold is asked of `ContentView`."""

    def file(self, path: str) -> FileState | None:
        """Return lstat of `path`, None if there is nothing."""
        ...

    def list_directory(self, path: str, *, limit: int = 100_000) -> Sequence[FileState]:
        """Return the direct entries of a directory, without following links."""
        ...

    def read_text(self, path: str, *, limit: int = 65536) -> str:
        """Return up to `limit` bytes of a regular file, decoded with replacement."""
        ...

    def no_room_to_keep(self, size: int) -> str:
        """Return why the quarantine cannot take so many bytes more, and what to do about it; "" if it can."""
        ...

    def kept_file(self, id: str) -> KeptFile:
        """Return a file of the quarantine as it would be given back.

        Raises StalePlanError if it is not kept any more, HostError if what is kept is not what was taken.
        """
        ...
