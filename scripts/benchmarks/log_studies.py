"""How fast logs are studied as a whole: kinds of lines, latencies, slow statements, and the report of `logs scan`."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from scripts.benchmarks.log_corpus import write_corpus
from scripts.benchmarks.measured import Measured
from scripts.benchmarks.mining import speed
from scripts.benchmarks.report import Figure, median
from zen_agents.jobs.log_report import WORKER, ReportReply, ReportRequest
from zen_agents.logs.formats.access import Access
from zen_agents.logs.formats.plain import Plain
from zen_agents.logs.watching.latency import LatencyRule, LatencyStudy, Limits
from zen_agents.logs.watching.templates import TemplateStudy

#: 15 January 2027, eight o'clock.
_NOW = 1_800_000_000.0
_SEED = 7
#: So many lines are read at once: about a megabyte.
_AT_ONCE = 10_000


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    lines = 50_000 if quick else 200_000
    plain, access = _plain(lines), _access(lines)
    requests = LatencyRule(600, 20, Limits(p95=0.5), {}, None, 0.999)
    statements = LatencyRule(600, 20, Limits(), {}, 2.0)
    return [
        *speed(quick),
        _study("lines a second for `templates:`, plain", plain, lambda: TemplateStudy(Plain(), UTC, 1, _NOW, {})),
        _study("lines a second for `templates:`, access", access, lambda: TemplateStudy(Access(), UTC, 1, _NOW, {})),
        _study("lines a second for `latency:`, access", access, lambda: LatencyStudy(requests, Access(), UTC, _NOW, {})),
        _study("lines a second for `slow_query:`, plain", plain, lambda: LatencyStudy(statements, Plain(), UTC, _NOW, {})),
        _report(folder, 10_000_000 if quick else 50_000_000),
    ]  # fmt: skip


def _study(name: str, content: bytes, begin: Callable[[], TemplateStudy | LatencyStudy]) -> Figure:
    lines = content.splitlines(keepends=True)
    pieces = [b"".join(lines[at : at + _AT_ONCE]) for at in range(0, len(lines), _AT_ONCE)]
    rates = []
    for _ in range(3):
        study, began = begin(), time.process_time()
        for piece in pieces:
            study.feed(piece, _NOW)
        study.told(_NOW, is_behind=False)
        rates.append(len(lines) / (time.process_time() - began))
    return Figure(name, median(rates), "/CPU s", samples=rates)


def _report(folder: Path, size: int) -> Figure:
    log, reply = folder / "reported.log", folder / "reported"
    write_corpus(log, size, 0.12)
    request = ReportRequest(files=(str(log),), now=_NOW)
    size = log.stat().st_size
    measured = Measured([sys.executable, "-m", WORKER], size, stdin=request.model_dump_json(), out=reply)
    found = ReportReply.model_validate_json(reply.read_bytes())
    log.unlink()
    if not found.lines or not found.errors:
        raise RuntimeError(f"the report found nothing: {found.files}")
    rate = measured.rate * found.lines / size * 1_000_000
    return Figure(
        "lines a second of `logs scan`, mixed", rate, "/CPU s", note=f"all of the worker; peak {measured.peak:.0f} MiB"
    )


def _plain(lines: int) -> bytes:
    chance = random.Random(_SEED)
    return b"".join(
        b"2027-01-15T07:%02d:00Z INFO worker-%d request %d from 10.0.%d.%d took %d ms\n"
        % (at * 60 // lines, chance.randrange(9), chance.randrange(10**6), chance.randrange(99), chance.randrange(99),
           chance.randrange(999))
        for at in range(lines)
    )  # fmt: skip


def _access(lines: int) -> bytes:
    chance = random.Random(_SEED)
    times = (datetime.fromtimestamp(_NOW - 300 + 300 * at / lines, UTC) for at in range(lines))
    stamps = [f"{moment:%d/%b/%Y:%H:%M:%S} +0000" for moment in times]
    return "".join(
        f'10.0.0.{chance.randrange(99)} - - [{stamp}] "GET /orders/{chance.randrange(99999)}/items?p={chance.randrange(9)}'
        f' HTTP/1.1" {chance.choice((200, 200, 200, 304, 404, 500))} {chance.randrange(9999)} "-" "curl/8" '
        f"0.{chance.randrange(999):03}\n"
        for stamp in stamps
    ).encode()
