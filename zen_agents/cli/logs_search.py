"""`logs search`: every line that holds an expression, as fast as the engine of matching that is installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any, NamedTuple, cast

from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.logs import STDIN
from zen_agents.cli.render import note, say
from zen_agents.errors import LogEncodingError, UsageError
from zen_agents.logs.formats.base import Format
from zen_agents.logs.formats.catalog import SAMPLE_LINES, detected
from zen_agents.logs.lines import LineSplitter
from zen_agents.logs.matching.base import Matcher, PatternRefusedError
from zen_agents.logs.matching.choose import BULK, choose
from zen_agents.logs.stamps import Stamps
from zen_agents.workers.log_stream import LogStreamError, opened, unpacked, whole_lines

#: So many lines are found where nothing else is said.
_MOST = 1000


class _Line(NamedTuple):
    file: str
    at: float | None
    text: str


def search(call: Call, pattern: str, files: Sequence[str], since: float | None, now: float, limit: int | None) -> int:
    """Print the lines as they are found; 1 if there is none, or a file could not be read to its end."""
    found: list[_Line] = []
    unread: list[dict[str, str]] = []
    most = limit or _MOST
    seeking = _Search(_matcher(pattern), Stamps(now), since)
    for file in files:
        try:
            for line in seeking.lines(file):
                if len(found) == most:
                    note(f"there are more than {most}; --limit N shows more")
                    break
                found.append(line)
                if not call.machine:
                    say(call, f"{line.file}: {line.text}" if len(files) > 1 else line.text)
        except (LogStreamError, LogEncodingError) as error:
            unread.append({"file": file, "why": str(error)})
            note(f"{file} {error}")
        if len(found) == most:
            break
    sys.stdout.flush()
    if call.machine:
        items = [{"file": line.file, "at": _iso(line.at), "text": line.text} for line in found]
        data(call, "logs-search", {"items": items, "unread": unread})
    return 1 if unread or not found else 0


def _matcher(pattern: str) -> Matcher:
    try:
        return choose([pattern], BULK).matcher
    except PatternRefusedError as error:
        raise UsageError(f"the expression {error}\n  {pattern}\n  {' ' * error.position}^ here") from None


class _Search:
    def __init__(self, matcher: Matcher, stamps: Stamps, since: float | None) -> None:
        self._matcher, self._stamps, self._since = matcher, stamps, since

    def lines(self, file: str) -> Iterator[_Line]:
        """Yield what is found in one file; LogStreamError or LogEncodingError where it cannot be read on."""
        form: Format | None = None
        with closing(_stream(file)) as stream:
            for lines in filter(None, whole_lines(unpacked(stream), LineSplitter())):
                form = form or detected(lines.decode("utf-8", "replace").split("\n")[:SAMPLE_LINES], self._stamps)
                yield from self._found(lines, form, file)

    def _found(self, lines: bytes, form: Format, file: str) -> Iterator[_Line]:
        for hit in self._matcher.hits(lines):
            text = lines[hit.start : hit.end].decode("utf-8", "replace")
            at = form.record(text, file, self._stamps).at
            if self._since is None or (at is not None and at >= self._since):
                yield _Line(file, at, text)


def _stream(file: str) -> BufferedReader[Any]:
    return cast("BufferedReader[Any]", sys.stdin.buffer) if file == STDIN else opened(file)


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
