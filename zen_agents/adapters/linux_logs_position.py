"""Where in a log reading stopped, such that the place is found again whatever the file is called by then."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

#: A log is known by its first bytes, and the place in it by those before it.
HEAD_BYTES, TAIL_BYTES = 256, 64

#: In the place of a size: there is more to read.
NOT_READ = -1

#: Reads so many bytes at an offset; fewer only at the end.
ReadAt = Callable[[int, int], bytes]


class Position(NamedTuple):
    """A place in one file, between two lines or within one that is too long."""

    device: int
    inode: int
    offset: int
    #: The beginning of the line that goes on here was given already.
    within: bool = False
    #: Of the first bytes and of those before the place, as far as they were read.
    head: str = ""
    tail: str = ""
    #: What the file looked like when all of it was read: as long as it does, there is nothing new.
    size: int = 0
    modified_ns: int = 0

    @classmethod
    def beginning(cls, state: os.stat_result) -> Position:
        """Return the place before the first line of a file."""
        # Just before it was written to last: should it be compressed before it is read, it still is newer than this.
        return cls(state.st_dev, state.st_ino, 0, modified_ns=state.st_mtime_ns - 1)

    @classmethod
    def restored(cls, saved: object) -> Position | None:
        """Return what `saved` gave; None for anything else."""
        kinds = (int, int, int, bool, str, str, int, int)
        if not isinstance(saved, list) or [type(value) for value in saved] != list(kinds) or saved[2] < 0:
            return None
        return cls(*saved)

    def saved(self) -> list[Any]:
        """Return it as plain JSON."""
        return list(self)

    def moved(self, offset: int, state: os.stat_result, read_at: ReadAt, *, within: bool, is_end: bool) -> Position:
        """Return the place further on in a file, with what it will be known by; at its end, how that looks."""
        head = self.head if self.offset >= HEAD_BYTES and self.head else digest(read_at(0, min(offset, HEAD_BYTES)))
        before = min(offset, TAIL_BYTES)
        tail = digest(read_at(offset - before, before)) if before else ""
        size = state.st_size if is_end else NOT_READ
        # Just before, where nothing was read: see `beginning`.
        modified_ns = state.st_mtime_ns - (offset == 0 < state.st_size)
        return Position(state.st_dev, state.st_ino, offset, within, head, tail, size, modified_ns)

    def is_unchanged(self, state: os.stat_result) -> bool:
        """Tell whether a file is this one, as it was when it was last read."""
        return (state.st_ino, state.st_size, state.st_mtime_ns) == (self.inode, self.size, self.modified_ns)

    def begins(self, state: os.stat_result, read_at: ReadAt) -> bool:
        """Tell whether a file begins as this one did; where nothing was read of this one, its number alone tells.

        A device's own number is not asked for: it may be another one when it is mounted again.
        """
        if self.offset == 0:
            return state.st_ino == self.inode
        return self.head == digest(read_at(0, min(self.offset, HEAD_BYTES)))

    def ends(self, read_at: ReadAt) -> bool:
        """Tell whether what a file has before this place is what was read there."""
        size = min(self.offset, TAIL_BYTES)
        return self.tail == (digest(read_at(self.offset - size, size)) if size else "")


_FIELDS = len(Position._fields)


class FileMemory(NamedTuple):
    """What is remembered of one path."""

    at: Position
    #: The file before this one and where it is now: who has it open may still write to it.
    late: Position | None = None
    late_path: str = ""
    #: Where reading stopped on another file system, which may come back to this path.
    elsewhere: Position | None = None
    is_gone: bool = False

    @classmethod
    def restored(cls, saved: object) -> FileMemory | None:
        """Return what `saved` gave; None for anything else."""
        if not isinstance(saved, Mapping) or (at := Position.restored(saved.get("at"))) is None:
            return None
        late, late_path = Position.restored(saved.get("late")), saved.get("late_path")
        if late is None or not isinstance(late_path, str):
            late, late_path = None, ""
        return cls(at, late, late_path, Position.restored(saved.get("elsewhere")), saved.get("gone") is True)

    def saved(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        saved: dict[str, Any] = {"at": self.at.saved()}
        if self.late is not None:
            saved |= {"late": self.late.saved(), "late_path": self.late_path}
        if self.elsewhere is not None:
            saved["elsewhere"] = self.elsewhere.saved()
        return saved | ({"gone": True} if self.is_gone else {})


def is_idle(saved: object, state: os.stat_result) -> bool:
    """Tell, cheaply, whether a file is as it was when all of it was read and nobody may still write to the one before."""
    at = saved.get("at") if type(saved) is dict and len(saved) == 1 else None
    if type(at) is not list or len(at) != _FIELDS:
        return False
    return bool(at[1] == state.st_ino and at[6] == state.st_size and at[7] == state.st_mtime_ns)


def digest(content: bytes) -> str:
    """Return what some bytes are known by."""
    return hashlib.sha256(content).hexdigest()[:16]
