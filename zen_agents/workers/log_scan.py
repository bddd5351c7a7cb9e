"""Scans logs for patterns: `python -m zen_agents.workers.log_scan`, a request on stdin, a reply on stdout.

A file is read in pieces and never held, so that what the scan takes does not depend on its size. Progress is told on stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from typing import Any, cast

from zen_agents.errors import LogEncodingError
from zen_agents.jobs.log_scan import (
    STDIN,
    NoRequestError,
    PatternFound,
    ScanProgress,
    ScanReply,
    ScanRequest,
    TopValue,
    UnreadFile,
    request_of,
    written,
)
from zen_agents.logs.findings import Findings, Found
from zen_agents.logs.lines import LineSplitter
from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.matching.choose import choose
from zen_agents.workers.log_stream import LogStreamError, opened, size_of, unpacked, whole_lines

#: Is told how far it is.
Told = Callable[[ScanProgress], None]


def scan(request: ScanRequest, stdin: BufferedReader[Any], told: Told) -> ScanReply:
    """Scan every file; one that cannot be read is named in the reply.

    Raises:
        PatternRefusedError: a pattern is refused by all engines.
    """
    return _Scan(request, stdin, told).reply()


def main() -> int:
    """Read the request, write the reply; the exit status is 2 for what is no request or no pattern."""
    try:
        request = request_of(sys.stdin.buffer.readline())
        reply = scan(request, cast("BufferedReader[Any]", sys.stdin.buffer), _tell)
    except NoRequestError as error:
        sys.stderr.write(f"this is no request: {error}\n")
        return 2
    except PatternRefusedError as error:
        sys.stderr.write(f"pattern {error.index + 1} {error}\n")
        return 2
    sys.stdout.write(written(reply))
    return 0


def _tell(progress: ScanProgress) -> None:
    with suppress(OSError):  # whoever started us may not listen
        sys.stderr.write(written(progress) + "\n")
        sys.stderr.flush()


class _Scan:
    def __init__(self, request: ScanRequest, stdin: BufferedReader[Any], told: Told) -> None:
        self._request, self._stdin, self._told = request, stdin, told
        self._chosen = choose(request.patterns, request.engines)
        self._findings = Findings([pattern.groups for pattern in self._chosen.matcher.patterns])
        self._size = sum(map(size_of, request.files)) if STDIN not in request.files else 0
        self._read = self._searched = self._hits = self._shortened = self._dropped = 0
        self._told_at = time.monotonic()

    def reply(self) -> ScanReply:
        unread = []
        for number, file in enumerate(self._request.files, start=1):
            try:
                self._file(number, file)
            except (LogStreamError, LogEncodingError) as error:
                unread.append(UnreadFile(file=file, why=str(error)))
        return ScanReply(
            found=tuple(map(_told_of, self._findings.found())), engine=self._chosen.matcher.name, slower=self._chosen.why,
            searched=self._searched, shortened=self._shortened, dropped=self._dropped, unread=tuple(unread),
        )  # fmt: skip

    def _file(self, number: int, file: str) -> None:
        stream = self._stdin if file == STDIN else opened(file)
        splitter, before = LineSplitter(), self._read
        try:
            for lines in whole_lines(unpacked(stream), splitter):
                self._lines(lines)
                self._read = before + (stream.tell() if file != STDIN else 0)
                self._progress(number, file)
        finally:
            self._shortened += splitter.shortened
            self._dropped += splitter.dropped
            if file != STDIN:
                stream.close()

    def _lines(self, lines: bytes) -> None:
        hits, add = 0, self._findings.add
        for hits, (pattern, line, groups) in enumerate(self._chosen.matcher.taken(lines), start=1):  # noqa: B007
            add(pattern, line, groups)
        self._hits += hits
        self._searched += len(lines)

    def _progress(self, number: int, file: str) -> None:
        now, seconds = time.monotonic(), self._request.progress_seconds
        if seconds and now - self._told_at >= seconds:
            self._told_at = now
            files = len(self._request.files)
            self._told(ScanProgress(file=file, number=number, of=files, read=self._read, size=self._size, hits=self._hits))


def _told_of(found: Found) -> PatternFound:
    top = {
        name: tuple(TopValue(each.value, each.count, each.missed) for each in values) for name, values in found.top.items()
    }
    return PatternFound(count=found.count, first=found.first, last=found.last, samples=tuple(found.samples), top=top)


if __name__ == "__main__":
    raise SystemExit(main())
