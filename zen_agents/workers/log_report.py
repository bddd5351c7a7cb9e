"""Says what logs say as a whole: `python -m zen_agents.workers.log_report`, a request on stdin, a reply on stdout.

A file is read in pieces and never held, and what is kept of its lines is bounded. Progress is told on stderr.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from io import BufferedReader
from typing import Any, cast

from pydantic import ValidationError

from zen_agents.errors import LogEncodingError
from zen_agents.jobs.log_report import (
    STDIN,
    EventSeen,
    FileRead,
    OperationSeen,
    PartSeen,
    ReportProgress,
    ReportReply,
    ReportRequest,
    TemplateSeen,
)
from zen_agents.logs.formats.base import Format
from zen_agents.logs.formats.catalog import SAMPLE_LINES, detected
from zen_agents.logs.lines import LineSplitter
from zen_agents.logs.mining.tree import Template
from zen_agents.logs.report import LogReport
from zen_agents.logs.stamps import Stamps
from zen_agents.workers.log_stream import LogStreamError, opened, size_of, unpacked, whole_lines

#: Is told how far it is.
Told = Callable[[ReportProgress], None]

_TELL_EVERY = 0.3
#: A text that is returned is cut to so many characters.
_MOST_TEXT = 500


def report(request: ReportRequest, told: Told, stdin: BufferedReader[Any] | None = None) -> ReportReply:
    """Read every file; one that cannot be read is named in the reply."""
    return _Report(request, told, stdin).reply()


def main() -> int:
    """Read the request, write the reply; the exit status is 2 for what is no request."""
    try:
        stdin = cast("BufferedReader[Any]", sys.stdin.buffer)
        request = ReportRequest.model_validate_json(stdin.readline())
    except ValidationError as error:
        sys.stderr.write(f"this is no request: {error.error_count()} errors\n")
        return 2
    sys.stdout.write(report(request, _tell, stdin).model_dump_json())
    return 0


def _tell(progress: ReportProgress) -> None:
    with suppress(OSError):  # whoever started us may not listen
        sys.stderr.write(progress.model_dump_json() + "\n")
        sys.stderr.flush()


class _Report:
    def __init__(self, request: ReportRequest, told: Told, stdin: BufferedReader[Any] | None) -> None:
        self._request, self._told, self._stdin = request, told, stdin
        self._stamps = Stamps(request.now)
        self._report = LogReport(self._stamps, request.since)
        self._size, self._read, self._told_at = sum(map(size_of, request.files)), 0, 0.0

    def reply(self) -> ReportReply:
        files, made = [self._file(file) for file in self._request.files], self._report
        most = self._request.most
        return ReportReply(
            files=tuple(files), lines=made.lines, errors=made.errors, older=made.older, first=made.first, last=made.last,
            part_seconds=made.timeline.seconds, parts=tuple(PartSeen(**asdict(part)) for part in made.timeline.parts()),
            kinds=len(made.templates()), templates=_seen(made.templates(), most),
            error_templates=_seen(made.error_templates(), most), new_templates=_seen(made.new_templates(), most),
            security=tuple(
                EventSeen(text=each.value, count=each.count, missed=each.missed) for each in made.security.top()[:most]
            ),
            security_events=made.security.events,
            operations=tuple(OperationSeen(**asdict(each)) for each in made.latencies()[:most]),
        )  # fmt: skip

    def _file(self, file: str) -> FileRead:
        form: Format | None = None
        why, at, before, splitter = "", None, self._read, LineSplitter()
        try:
            stream = self._stdin if file == STDIN and self._stdin is not None else opened(file)
            with stream:
                for lines in filter(None, whole_lines(unpacked(stream), splitter)):
                    form = form or detected(lines.decode("utf-8", "replace").split("\n")[:SAMPLE_LINES], self._stamps)
                    at = self._report.take(lines, form, file, at)
                    self._read = before + (stream.tell() if file != STDIN else 0)
                    self._progress()
        except (LogStreamError, LogEncodingError) as error:
            why = str(error)
        return FileRead(
            file=file,
            format=form.name if form is not None else "",
            why=why,
            shortened=splitter.shortened,
            dropped=splitter.dropped,
        )

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            self._told(ReportProgress(read=self._read, size=self._size, lines=self._report.lines + self._report.older))


def _seen(templates: Sequence[Template], most: int) -> tuple[TemplateSeen, ...]:
    return tuple(
        TemplateSeen(
            text=each.text[:_MOST_TEXT], example=each.example, lines=each.lines, first=each.first_at, last=each.last_at
        )
        for each in templates[:most]
    )


if __name__ == "__main__":
    raise SystemExit(main())
