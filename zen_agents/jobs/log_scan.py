"""The request, the progress and the reply of the worker that scans logs. JSON all ways, checked on reading.

Without pydantic: loading it is half of what the worker would take for a small log. Its `TypeAdapter` reads each of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from typing import Any

from zen_agents.dataclass import dataclass

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.log_scan"
#: Among the files: what follows the request's line on the worker's standard input.
STDIN = "-"

_ENGINES = ("vectorscan", "re2", "plain")
_MOST_PATTERNS, _MOST_FILES, _MOST_SECONDS = 2000, 10_000, 3600.0


class NoRequestError(ValueError):
    """What was to be a request is none; the text says what is wrong, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """Which patterns are sought in which files. On one line of JSON; behind it may come the data of `-`."""

    #: 1 to 2,000.
    patterns: tuple[str, ...]
    #: Absolute paths, or `-`, 1 to 10,000; what is packed by gzip, xz or zstd is unpacked while it is read.
    files: tuple[str, ...]
    #: Engines to choose from, the best first.
    engines: tuple[str, ...] = _ENGINES
    #: Seconds between two lines of progress, up to 3,600; 0: none.
    progress_seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """How far a scan is: a line of standard error, in JSON."""

    #: The file that is read, and its number from 1.
    file: str
    number: int
    of: int
    #: Bytes that were read of all files, as they lie on the disk, and how many they are in all; 0 if nobody knows.
    read: int
    size: int
    hits: int


@dataclass(frozen=True, slots=True)
class TopValue:
    """A value of a group: it was there `count` times at least, and `count + missed` at most."""

    value: str
    count: int
    missed: int = 0


@dataclass(frozen=True, slots=True)
class PatternFound:
    """What was found of one pattern. All texts are untrusted, and cut where they are long."""

    #: How many lines hold it.
    count: int
    first: str = ""
    last: str = ""
    samples: tuple[str, ...] = ()
    top: Mapping[str, tuple[TopValue, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file that was not read, or not to its end, and why."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class ScanReply:
    """What was found, a part for each pattern of the request."""

    found: tuple[PatternFound, ...]
    engine: str
    #: Bytes that were searched, unpacked.
    searched: int
    #: Why `engine` is not a faster one; "" if it is the fastest.
    slower: str = ""
    #: Lines that were longer than is searched: how many, and bytes of them left out.
    shortened: int = 0
    dropped: int = 0
    unread: tuple[UnreadFile, ...] = ()


Message = ScanRequest | ScanProgress | ScanReply


def written(message: Message) -> str:
    """Return a message as one line of JSON, without its end."""
    return json.dumps(asdict(message))


def request_of(line: bytes) -> ScanRequest:
    """Return the request that a line is; raises NoRequestError."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise NoRequestError("it is no JSON") from None
    if not isinstance(told, dict) or not told.keys() <= {each.name for each in fields(ScanRequest)}:
        raise NoRequestError("it is no object, or has keys that nobody knows")
    engines, seconds = told.get("engines", list(_ENGINES)), told.get("progress_seconds", 0.5)
    if not isinstance(engines, list) or not engines or not all(each in _ENGINES for each in engines):
        raise NoRequestError(f"engines: it takes any of {', '.join(_ENGINES)}")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _MOST_SECONDS:
        raise NoRequestError(f"progress_seconds: it takes 0 to {_MOST_SECONDS:g}")
    patterns, files = _texts(told, "patterns", _MOST_PATTERNS), _texts(told, "files", _MOST_FILES)
    return ScanRequest(patterns, files, tuple(engines), float(seconds))


def _texts(told: Mapping[str, Any], key: str, most: int) -> tuple[str, ...]:
    texts = told.get(key)
    if not isinstance(texts, list) or not 1 <= len(texts) <= most or not all(isinstance(text, str) for text in texts):
        raise NoRequestError(f"{key}: it takes 1 to {most} texts")
    return tuple(texts)
