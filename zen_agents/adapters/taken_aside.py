"""Which directories have entries under private names right now, so that what a crash leaves there is found and removed.

What is removed first gets a name that nobody knows (see `file_identity.take_aside`). An engine that dies before it is gone
would leave it for ever under that name, and only a note says where.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

_NOTE = ".aside-"
_MARK = re.compile(r"[0-9a-f]{12}")
_PRIVATE = re.compile(r"\.zen-agents-([0-9a-f]{12})-[0-9a-f]{24}-([0-9a-f]+)")
#: In the place of the inode: what the engine makes itself has its name before it has one.
MADE_HERE = 0


class TakenAside:
    """The notes: `.aside-MARK` holds the path of a directory, and private names there begin with that mark.

    They need not outlast a power cut, after which the private names are not there either or are a person's to find.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def note(self, path: str) -> str:
        """Note a directory, and return the mark for the names in it. On a full disk nothing is noted."""
        mark = secrets.token_hex(6)
        # A crash leaves something behind then, which is no reason not to make room now.
        with contextlib.suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._directory / f"{_NOTE}{mark}").write_bytes(path.encode("utf-8", "surrogateescape"))
        return mark

    def forget(self, mark: str) -> None:
        """Remove a note: nothing is left under its mark."""
        with contextlib.suppress(OSError):
            (self._directory / f"{_NOTE}{mark}").unlink()

    def discard(self, name: str, directory: int) -> None:
        """Remove what was made under a private name in an open directory, if it is still there, and then its note.

        What cannot be removed keeps its note, and is removed at the next start.
        """
        try:
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            # It was renamed to its place, or never made.
            pass
        except OSError:
            return
        self.forget(mark_of(name))

    def names(self) -> Sequence[str]:
        """Return the file names of the notes."""
        return [note.name for note in self._directory.glob(f"{_NOTE}*")]

    def notes(self) -> Sequence[tuple[str, str]]:
        """Return mark and path of every note."""
        found = []
        for note in self._directory.glob(f"{_NOTE}*"):
            mark = note.name.removeprefix(_NOTE)
            with contextlib.suppress(OSError):
                path = note.read_bytes().decode("utf-8", "surrogateescape")
                if _MARK.fullmatch(mark) and path:
                    found.append((mark, path))
        return found


def private_name(mark: str, inode: int) -> str:
    """Return a name that nobody can guess, which says whose it is and which thing it was given to."""
    return f".zen-agents-{mark}-{secrets.token_hex(12)}-{inode:x}"


def inode_of(name: str, mark: str) -> int | None:
    """Return which thing a private name of this mark was given to, None for any other name."""
    found = _PRIVATE.fullmatch(name)
    return int(found[2], 16) if found and found[1] == mark else None


def mark_of(name: str) -> str:
    """Return the mark of a private name, "" for any other one."""
    found = _PRIVATE.fullmatch(name)
    return found[1] if found else ""
