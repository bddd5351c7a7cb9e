"""Records of several lines as one line each, for what studies a log line by line.

The last record of a file may go on: it is held until another line of the file, or a look at which nothing came, shows that
it is whole. What is held is remembered with the place in the log, so that nothing is lost over a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from zen_agents.logs.joining import Joiner
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.memory import checked_rows
from zen_agents.logs.watching.records import GOES_ON, OpenRecord, cut

#: Stands between the lines of a record: white space to whoever takes words, and in no line that a program writes by itself.
FOLD: Final = "\v"
_FOLD: Final = FOLD.encode()
#: Of more files than this no record is held.
_MOST_HELD: Final = 64


class RecordFolding:
    """Folds the lines of one source; keeps the last record of each of its files."""

    def __init__(self, saved: Any = None) -> None:
        """Go on from what `saved` gave; what that cannot be is left out."""
        self._matcher = choose([GOES_ON]).matcher
        self._held: dict[str, OpenRecord] = {}
        #: Files of which lines came since it was last asked what is whole.
        self._came: set[str] = set()
        for path, joiner in checked_rows(saved, width=2)[-_MOST_HELD:]:
            if isinstance(path, str) and isinstance(joiner, Mapping):
                self._held[path] = OpenRecord(Joiner.restored(joiner), 0.0)

    def fold(self, chunk: bytes, path: str) -> bytes:
        """Return the records that are whole with these lines of a file, each as one line."""
        below = [start for _, start, _ in self._matcher.hits(chunk)]
        before = self._held.pop(path, None)
        may_go_on = before is not None and not (isinstance(before.lines, bytes) and below[:1] != [0])
        found = cut(chunk, before.joiner if before is not None and may_go_on else None, below)
        self._held[path] = OpenRecord(found.lines, 0.0)
        self._came.add(path)
        spans, at = found.spans, 0
        if found.goes_on:
            if before is not None and found.lines is before.lines:
                return b""  # and it may still
            at, spans = spans[0][1] + 1, spans[1:]
        whole = [] if before is None else [_folded(before)]
        return b"".join([*whole, *_folded_spans(chunk[: found.last], at, spans), *self._too_many()])

    def whole(self) -> bytes:
        """Return the records of files to which nothing came since this was last asked."""
        came, self._came = self._came, set()
        return b"".join([_folded(self._held.pop(path)) for path in [*self._held] if path not in came])

    def saved(self) -> list[list[Any]]:
        """Return what is held, for JSON."""
        return [[path, record.joiner.saved()] for path, record in self._held.items()]

    def _too_many(self) -> Iterator[bytes]:
        while len(self._held) > _MOST_HELD:
            yield _folded(self._held.pop(next(iter(self._held))))


def _folded(record: OpenRecord) -> bytes:
    lines = record.lines
    text = lines if isinstance(lines, bytes) else lines.text.replace("\n", FOLD).encode("utf-8", "replace")
    return text + b"\n"


def _folded_spans(chunk: bytes, at: int, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    for start, end in spans:
        if start < len(chunk):
            yield chunk[at:start]
            yield chunk[start:end].replace(b"\n", _FOLD)
            at = end
    yield chunk[at:]
