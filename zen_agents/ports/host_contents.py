"""What small files of the host hold, and how one is replaced as a whole: the part of the host's port for drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.ports.host_files import FileState

#: Larger files (bytes) are no configuration, and are neither compared nor replaced.
LARGEST_CONTENT = 1 << 20


class ContentView(Protocol):
    """Questions about contents."""

    def content(self, path: str) -> bytes | None:
        """Return all that a regular file holds, None if there is nothing; a link is not followed. Not remembered.

        Raises HostError for what is no regular file, cannot be read, or is larger than `LARGEST_CONTENT`.
        """
        ...

    def content_end(self, path: str, limit: int) -> bytes | None:
        """Return the last whole lines of a regular file, up to `limit` bytes, None if there is nothing. Not remembered.

        Raises HostError for what is no regular file or cannot be read; a link is not followed.
        """
        ...

    def kept_content(self, id: str) -> bytes:
        """Return what a file of the quarantine holds, compared with what was taken.

        Raises StalePlanError if it is not kept any more, HostError if it is damaged or larger than `LARGEST_CONTENT`.
        """
        ...

    def unit_file_pending(self, unit: str) -> bool:
        """Tell whether a unit's files changed since systemd read them; False for a unit that it does not know.

        Not remembered. HostError if systemd does not say.
        """
        ...


class ReplacingDirectory(Protocol):
    """The part of a `DirectoryHandle` by which one file takes the place of another, at once and as a whole.

    The directory may be closed and opened again between the steps; whatever a crash leaves is removed at the next start.
    """

    def stage(self, content: bytes, like: FileState) -> FileState:
        """Write a new file under a private name, durably, with mode and owner of `like`; never setuid or setgid.

        If `like` still is there its access list and labels are given on too. HostError if it cannot be written.
        """
        ...

    def swap(self, candidate: FileState, expected: FileState | None, name: str, *, action: str) -> str:
        """Put a staged file under `name`, in the place of `expected`, in one step; what was there goes to the quarantine.

        Returns the id with which undo finds it, "" if nothing was there and nothing was expected. Raises StalePlanError if
        what is there is not what was expected, UnsafePathError for links, devices and further hard links.
        """
        ...

    def discard(self, candidate: FileState) -> None:
        """Remove a staged file if it still is there."""
        ...
