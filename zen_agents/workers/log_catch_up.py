"""Looks for a source's patterns in what is behind: `python -m zen_agents.workers.log_catch_up`; see `jobs.log_catch_up`.

It is fed by whoever started it and keeps no more than one piece, so that its memory does not depend on how much it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader
from typing import Any, cast
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from zen_agents.jobs.log_catch_up import CatchUpPiece, CatchUpReply, CatchUpRequest, PatternAsked
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.formats.catalog import made
from zen_agents.logs.watching.rule import Detects, PatternRule, Step
from zen_agents.logs.watching.source import SourceWatch


class CutShortError(Exception):
    """Whoever feeds it stopped in the middle of a piece."""


def caught_up(request: CatchUpRequest, stdin: BufferedReader[Any]) -> CatchUpReply:
    """Take every piece; raises CutShortError, and ValidationError for what is no piece."""
    zone = ZoneInfo(request.zone) if request.zone else None
    form = made(request.format, time_key=request.time_key, security=request.security)
    rules, began = [_rule(each) for each in request.patterns], time.monotonic()
    watch = SourceWatch(rules, form, zone, request.now, request.saved, multiline=request.multiline)
    for path, lines in _pieces(stdin):
        watch.feed(lines, path, request.now + time.monotonic() - began)
    return CatchUpReply(saved=watch.saved())


def main() -> int:
    """Read the request and the pieces, write the reply; the exit status is 2 for what is neither."""
    stdin = cast("BufferedReader[Any]", sys.stdin.buffer)
    try:
        reply = caught_up(CatchUpRequest.model_validate_json(stdin.readline()), stdin)
    except ValidationError as error:
        sys.stderr.write(f"this is no request, or no piece: {error.error_count()} errors\n")
        return 2
    except CutShortError:
        sys.stderr.write("it was cut short\n")
        return 2
    sys.stdout.write(reply.model_dump_json())
    return 0


def _pieces(stdin: BufferedReader[Any]) -> Iterator[tuple[str, bytes]]:
    while line := stdin.readline():
        piece = CatchUpPiece.model_validate_json(line)
        lines = stdin.read(piece.size)
        if len(lines) < piece.size:
            raise CutShortError
        yield piece.path, lines


def _rule(asked: PatternAsked) -> PatternRule:
    steps = tuple(Step(step.match, step.where, step.sigma) for step in asked.steps)
    return PatternRule(asked.name, steps, _detects(asked), asked.shares, asked.targets)


def _detects(asked: PatternAsked) -> Detects:
    if asked.absence is not None:
        rule: Detects = AbsenceRule(**asked.absence)
    elif asked.distinct is not None:
        rule = DistinctRule(**asked.distinct)
    elif asked.sequence is not None:
        rule = SequenceRule(**asked.sequence)
    else:
        rule = CountRule(**(asked.counting or {}))
    return replace(rule, by=tuple(rule.by))


if __name__ == "__main__":
    raise SystemExit(main())
