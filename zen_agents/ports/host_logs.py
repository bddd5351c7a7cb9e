"""What was written to the host's logs since somebody last looked: files over all their rotations, and the journal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

#: Bytes that one call gives at most, give or take a line; and how far behind a source may fall before it is sampled.
MOST_BYTES, MOST_BEHIND = 4 << 20, 256 << 20

#: Where to go on: plain JSON, to be kept with what came of the lines and given back as it is.
Checkpoint = Mapping[str, Any]


class LogRequest(NamedTuple):
    """One source."""

    #: An absolute path, its components with wildcards if there are several; "" for the journal.
    path: str = ""
    #: For the journal: `FIELD=VALUE` as journalctl takes them, () for all of it.
    journal: tuple[str, ...] = ()
    #: What there is already when a source is first looked at counts as new.
    from_start: bool = False
    most_bytes: int = MOST_BYTES
    most_behind: int = MOST_BEHIND


class LogChange(StrEnum):
    """What happened to a log besides that it grew."""

    #: It goes on in another file; all of the one before was read.
    ROTATED = "rotated"
    #: It was made empty, or shrank; it is read from its beginning.
    TRUNCATED = "truncated"
    #: Of what was written before a rotation the rest is nowhere to be found.
    LOST = "lost"
    #: It is not there any more; it is there again.
    VANISHED = "vanished"
    BACK = "back"
    #: It grows faster than it is read: some of it was left out, some was sampled.
    SKIPPED = "skipped"
    #: It cannot be read, for the reason that is given.
    UNREADABLE = "unreadable"


class LogEvent(NamedTuple):
    """One change, of one file."""

    path: str
    change: LogChange
    detail: str = ""


class LogChunk(NamedTuple):
    """Whole lines of one file, in order: valid UTF-8, each ending with a newline."""

    path: str
    lines: bytes
    #: Taken from what was otherwise left out: what is counted is a part of what was written.
    sampled: bool = False


class LogPiece(NamedTuple):
    """What one call found."""

    chunks: tuple[LogChunk, ...]
    checkpoint: Checkpoint
    events: tuple[LogEvent, ...] = ()
    #: Bytes that are written and not read yet; bytes that never will be, because the source grows too fast.
    behind: int = 0
    skipped: int = 0
    #: Lines longer than the limit, and bytes that were dropped of them.
    shortened: int = 0
    dropped: int = 0


class CatchUp(NamedTuple):
    """How far a worker is that reads on for a source."""

    #: Bytes that it was given so far, and those that are not read yet.
    read: int
    behind: int
    #: At its end: what was read, without its lines, and what came of them (JSON); or why that is lost.
    piece: LogPiece | None = None
    reply: str = ""
    failed: str = ""
    is_over: bool = False


class LogView(Protocol):
    """Reads logs; blocks, so it belongs in the sampler's thread."""

    def new_lines(self, request: LogRequest, checkpoint: Checkpoint | None) -> LogPiece:
        """Return what was written since the checkpoint; None for a source that was never looked at.

        Bounded: what does not fit is `behind` (of the journal, about so much) and comes with the next call. Each line is
        given once if the checkpoint that came with it is used; one that no call returned counts as None. Never remembered.
        Raises HostError if the source as a whole cannot be read; a file of several that cannot is an event.
        """
        ...

    def begin_catch_up(self, name: str, request: LogRequest, checkpoint: Checkpoint | None, job: str) -> None:
        """Have a worker read on from the checkpoint for some seconds; `job` says what it looks for (JSON).

        It comes to nothing if `name` has one already. HostError if none can be started here.
        """
        ...

    def catch_up(self, name: str) -> CatchUp | None:
        """Return how far the worker of that name is, its end once; None if there is none."""
        ...
