"""`logs scan` and `logs templates`: a worker reads, this shows how far it is and what came of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from io import BufferedReader
from typing import Any, Final, cast

from pydantic import ValidationError

from zen_agents.adapters.worker_process import run_worker
from zen_agents.cli.call import Call
from zen_agents.cli.envelope import data
from zen_agents.cli.logs import STDIN
from zen_agents.cli.progress import Progress
from zen_agents.cli.render import note, plural, say, table
from zen_agents.cli.times import took
from zen_agents.jobs.log_report import WORKER, PartSeen, ReportProgress, ReportReply, ReportRequest, TemplateSeen
from zen_agents.logs.lines import LONGEST_LINE
from zen_agents.model.units import size_in_words

#: A scan of many gigabytes may take so long (seconds).
_WITHIN_SECONDS: Final = 6 * 3600.0
_MOST_SCANNED, _MOST_TEMPLATES = 10, 50
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_COLUMNS: Final = 60
#: Fewer bytes are read in a moment.
_LONG_WORK: Final = 4 << 20


def scan(call: Call, files: Sequence[str], since: float | None, now: float, limit: int | None) -> int:
    """Ask the worker, and tell what it found; 1 if a file could not be read to its end."""
    is_scan = call.arguments.verb == "scan"
    most = min(limit or (_MOST_SCANNED if is_scan else _MOST_TEMPLATES), 500)
    request = ReportRequest(files=tuple(files), since=since, now=now, most=most)
    with Progress(call) as shown:
        said = asyncio.run(
            run_worker(
                WORKER, f"{request.model_dump_json()}\n", timeout_seconds=_WITHIN_SECONDS, told=partial(_tell, shown),
                rest=cast("BufferedReader[Any]", sys.stdin.buffer) if STDIN in files else None,
            )
        )  # fmt: skip
    reply = ReportReply.model_validate_json(said)
    if call.machine:
        data(call, "logs-report", reply.model_dump(mode="json"))
    else:
        (_show_scan if is_scan else _show_templates)(call, reply, since)
    for file in reply.files:
        if file.shortened:
            told = f"{plural(file.shortened, 'line')} longer than {size_in_words(LONGEST_LINE)}"
            note(f"{file.file}: of {told} only the beginning was looked at, not {size_in_words(file.dropped)} of them")
        if file.why:
            note(f"{file.file} {file.why}")
    return 1 if any(file.why for file in reply.files) else 0


def _tell(shown: Progress, line: str) -> None:
    """Show how far the worker is; whatever else it says is not for people."""
    try:
        told = ReportProgress.model_validate_json(line)
    except ValidationError:
        return
    if told.size >= _LONG_WORK:
        words = f"{size_in_words(told.read)} of {size_in_words(told.size)}, {told.lines} lines"
        shown.show(words, min(1.0, told.read / told.size))


def _show_scan(call: Call, reply: ReportReply, since: float | None) -> None:
    _show_sum(call, reply)
    if len(reply.parts) > 1:
        say(call, f"lines   {_curve([part.lines for part in _columns(reply)])}")
        say(call, f"errors  {_curve([part.errors for part in _columns(reply)])}")
    _show_kinds(call, "Errors", reply.error_templates)
    if since is not None:
        _show_kinds(call, "New kinds of lines", reply.new_templates)
    if reply.security:
        say(call, "")
        say(call, f"Log-ins, privileges, accounts, attacks ({reply.security_events} in all)")
        table(call, ("COUNT", "WHAT"), [(each.count, each.text) for each in reply.security], goes_on="WHAT")
    if reply.operations:
        say(call, "")
        say(call, "What took the most time")
        rows = [
            (each.count, took(each.p50), took(each.p95), took(each.p99), took(each.longest), each.operation)
            for each in reply.operations
        ]
        table(call, ("COUNT", "P50", "P95", "P99", "LONGEST", "OPERATION"), rows, spare=("P50",), goes_on="OPERATION")


def _show_templates(call: Call, reply: ReportReply, since: float | None) -> None:
    _show_sum(call, reply)
    _show_kinds(call, f"{plural(reply.kinds, 'kind')} of lines", reply.templates)
    if since is not None:
        _show_kinds(call, "New", reply.new_templates)


def _show_sum(call: Call, reply: ReportReply) -> None:
    share = f" ({reply.errors / reply.lines:.2%})" if reply.errors else ""
    told = f"{plural(reply.lines, 'line')} in {plural(len(reply.files), 'file')}, {plural(reply.errors, 'error')}{share}"
    if reply.first is not None and reply.last is not None:
        told += f"; from {call.when(_moment(reply.first))} to {call.when(_moment(reply.last))}"
    say(call, told)
    if reply.older:
        say(call, f"{plural(reply.older, 'line')} from before that, or without a time, were only read to tell what is new")


def _show_kinds(call: Call, title: str, kinds: Sequence[TemplateSeen]) -> None:
    say(call, "")
    say(call, title if kinds else f"{title}: none")
    rows = [(each.lines, _when(call, each.first), _when(call, each.last), each.text) for each in kinds]
    if rows:
        table(call, ("LINES", "FIRST", "LAST", "KIND"), rows, spare=("FIRST",), goes_on="KIND")


def _when(call: Call, at: float) -> str | None:
    return call.when(_moment(at)) if at else None


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _columns(reply: ReportReply) -> Sequence[PartSeen]:
    """Return the parts from the first to the last, also those without a line, in as many columns as are shown."""
    by_number = {int(part.at // reply.part_seconds): part for part in reply.parts}
    first, last = min(by_number), max(by_number)
    wide = -(-(last - first + 1) // _COLUMNS)
    starts = range(first, last + 1, wide)
    return [_joined(by_number.get(number) for number in range(start, start + wide)) for start in starts]


def _joined(parts: Iterable[PartSeen | None]) -> PartSeen:
    there = [part for part in parts if part is not None]
    return PartSeen(at=0.0, lines=sum(part.lines for part in there), errors=sum(part.errors for part in there))


def _curve(counts: Sequence[int]) -> str:
    most = max(counts)
    return "".join(_LEVELS[-(-count * (len(_LEVELS) - 1) // most)] if most else _LEVELS[0] for count in counts)
