"""A directory that is changed through descriptors alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from zen_agents.ports.host_contents import ReplacingDirectory

if TYPE_CHECKING:
    from zen_agents.ports.host_files import FileState
    from zen_agents.ports.log_archives import Packing


class DirectoryHandle(ReplacingDirectory, Protocol):
    """A directory opened by descriptor below its declared root; every change goes through descriptors (R19)."""

    @property
    def path(self) -> str:
        """The directory's real path, for messages only."""
        ...

    def directory(self) -> FileState:
        """Return what the directory itself is."""
        ...

    def entries(self) -> Sequence[FileState]:
        """Return the direct entries by lstat."""
        ...

    def enter(self, name: str) -> AbstractContextManager[DirectoryHandle]:
        """Open a real subdirectory on the same device; UnsafePathError for a link, a mount or anything else."""
        ...

    def is_in_place(self) -> bool:
        """Tell whether it still lies where it was entered, below the directory that was opened first."""
        ...

    def in_use(self, expected: FileState) -> bool:
        """Tell whether anybody holds a file open or mapped; True if that cannot be told."""
        ...

    def remove(self, expected: FileState) -> None:
        """Unlink a regular file if it still is `expected`, has one link and nobody holds it open."""
        ...

    def remove_directory(self, expected: FileState) -> None:
        """Remove an empty directory if it still is `expected`."""
        ...

    def rename(self, expected: FileState, new_name: str) -> None:
        """Rename within the directory, never over an existing name."""
        ...

    def create_directory(self, name: str, *, mode: int, owner: int, group: int) -> None:
        """Make one directory: 0700 first, then owner, then mode."""
        ...

    def set_mode_and_owner(self, expected: FileState, *, mode: int | None, owner: int | None, group: int | None) -> None:
        """Change owner, then mode, on a descriptor of the very file that was seen."""
        ...

    def truncate(self, expected: FileState, *, to: int = 0) -> None:
        """Truncate on a descriptor of the very file that was seen."""
        ...

    def copy_out(self, expected: FileState, new_name: str, *, compress: bool = False) -> int:
        """Copy a file to a new one beside it (O_EXCL, owner before mode); return bytes read, fsynced."""
        ...

    def compress(self, expected: FileState, packing: Packing = "gzip") -> int:
        """Replace a file by its archive beside it, with owner, mode and times kept; return the new size.

        The archive is read back and compared before the file goes. HostError where it would not fit on the disk.
        """
        ...

    def quarantine(self, expected: FileState, *, action: str) -> str:
        """Move a file into the quarantine of the state directory; return the id with which undo finds it."""
        ...

    def give_back(self, id: str, name: str) -> FileState:
        """Put a file of the quarantine back with owner, mode and times, under a name that must be free.

        Its content is compared with what was taken first; setuid and setgid never come back (R31).
        """
        ...
