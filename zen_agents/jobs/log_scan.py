"""The request, the progress and the reply of the worker that scans logs. JSON all ways, checked on reading."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.log_scan"
#: Among the files: what follows the request's line on the worker's standard input.
STDIN = "-"

Engine = Literal["vectorscan", "re2", "plain"]


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScanRequest(_Job):
    """Which patterns are sought in which files. On one line of JSON; behind it may come the data of `-`."""

    patterns: tuple[str, ...] = Field(min_length=1, max_length=2000)
    #: Absolute paths, or `-`; what is packed by gzip, xz or zstd is unpacked while it is read.
    files: tuple[str, ...] = Field(min_length=1, max_length=10_000)
    #: Engines to choose from, the best first.
    engines: tuple[Engine, ...] = Field(("vectorscan", "re2", "plain"), min_length=1)
    #: Seconds between two lines of progress; 0: none.
    progress_seconds: float = Field(0.5, ge=0, le=3600)


class ScanProgress(_Job):
    """How far a scan is: a line of standard error, in JSON."""

    #: The file that is read, and its number from 1.
    file: str
    number: int
    of: int
    #: Bytes that were read of all files, as they lie on the disk, and how many they are in all; 0 if nobody knows.
    read: int
    size: int
    hits: int


class TopValue(_Job):
    """A value of a group: it was there `count` times at least, and `count + missed` at most."""

    value: str
    count: int
    missed: int = 0


class PatternFound(_Job):
    """What was found of one pattern. All texts are untrusted, and cut where they are long."""

    #: How many lines hold it.
    count: int
    first: str = ""
    last: str = ""
    samples: tuple[str, ...] = ()
    top: dict[str, tuple[TopValue, ...]] = {}


class UnreadFile(_Job):
    """A file that was not read, or not to its end, and why."""

    file: str
    why: str


class ScanReply(_Job):
    """What was found, a part for each pattern of the request."""

    found: tuple[PatternFound, ...]
    #: The engine that matched, and why it is not a faster one; "" if it is the fastest.
    engine: Engine
    slower: str = ""
    #: Bytes that were searched, unpacked, and lines that were longer than is searched: how many, and bytes of them left out.
    searched: int
    shortened: int = 0
    dropped: int = 0
    unread: tuple[UnreadFile, ...] = ()
