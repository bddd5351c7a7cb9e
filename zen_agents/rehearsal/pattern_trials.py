"""Tries the regular expressions of a configuration on lines, in a process of its own with limits of time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from zen_agents.adapters.worker_process import WorkerError, run_worker
from zen_agents.clock import SystemClock
from zen_agents.errors import ZenError
from zen_agents.jobs.pattern_trial import WORKER, LogStep, LogTrial, PatternReply, PatternRequest, TriedLine, Verdict
from zen_agents.logs.formats.plain import Plain
from zen_agents.model.redaction import MARK
from zen_agents.settings.diagnostics import Diagnostic
from zen_agents.settings.patterns import REDACT, NamedPattern, Sample, sample_fault

#: What all lines of one source may take (seconds), and the memory of the process that tries them (bytes).
_WITHIN_SECONDS, _MEMORY = 60.0, 1 << 30


def try_lines(pattern: NamedPattern, lines: Sequence[str], *, show: Verdict | None, most_shown: int) -> PatternReply:
    """Return what a pattern makes of lines.

    Raises:
        ZenError: they could not be tried to the end.
    """
    request = _request(pattern, lines, show=show, most_shown=most_shown)
    try:
        said = asyncio.run(
            run_worker(WORKER, request.model_dump_json(), timeout_seconds=_WITHIN_SECONDS, memory_bytes=_MEMORY)
        )
        return PatternReply.model_validate_json(said)
    except (WorkerError, ValueError) as error:
        raise ZenError(f"the pattern could not be tried to the end: {error}; nothing is known of it") from error


def sample_faults(pattern: NamedPattern) -> list[Diagnostic]:
    """Return what is to be told of each sample that is not as it has to be; ZenError as `try_lines`."""
    if not pattern.samples:
        return []
    lines = tuple(sample.text for sample in pattern.samples)
    reply = try_lines(pattern, lines, show=None, most_shown=1000)
    tried = {line.number: line for line in reply.shown}
    judged = ((sample, tried.get(number)) for number, sample in enumerate(pattern.samples, start=1))
    return [
        sample_fault(sample, pattern.name, line.partial_end if line else None, _untold(line))
        for sample, line in judged
        if not _is_as_it_has_to_be(sample, line)
    ]


def _is_as_it_has_to_be(sample: Sample, line: TriedLine | None) -> bool:
    return line is not None and line.verdict == ("matched" if sample.matches else "missed")


def _untold(line: TriedLine | None) -> str:
    return "was left out of the answer, which had grown too long" if line is None else line.why


def _request(pattern: NamedPattern, lines: Sequence[str], *, show: Verdict | None, most_shown: int) -> PatternRequest:
    """Return what the worker is asked: a pattern of a log is tried as the agent does, all else as plain text."""
    expressions = tuple(expression for expression, _ in pattern.expressions) if pattern.effect is None else ()
    return PatternRequest(
        expressions=expressions, log=_log(pattern), lines=tuple(lines), show=show, most_shown=most_shown,
        replacement=MARK if pattern.name == REDACT else None,
    )  # fmt: skip


def _log(pattern: NamedPattern) -> LogTrial | None:
    effect, source = pattern.effect, pattern.source
    if effect is None:
        return None
    steps = [
        LogStep(match=step.match, where=dict(step.where or {}), sigma=None if step.sigma is None else dict(step.sigma))
        for step in effect.rule(pattern.name).steps
    ]
    return LogTrial(
        steps=tuple(steps), format=Plain.name if source is None else source.written_in().name,
        security=source is not None and source.security, time_key="" if source is None else source.time_key,
        now=SystemClock().now().wall.timestamp(),
    )  # fmt: skip
