"""What logs say as a whole, for one look at them: which kinds of lines, which errors, how fast what was done, and when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.formats.base import Format
from zen_agents.logs.latency.percentiles import Latency, Percentiles
from zen_agents.logs.latency.requests import TELLING, request_of
from zen_agents.logs.latency.slow_queries import postgres_query
from zen_agents.logs.mining.miner import Miner
from zen_agents.logs.mining.tree import Template
from zen_agents.logs.record import LEVEL, LogRecord
from zen_agents.logs.security.recognition import event_of
from zen_agents.logs.security.tally import SecurityTally
from zen_agents.logs.stamps import Stamps

_ERRORS: Final = frozenset({"emergency", "alert", "critical", "error"})
#: Where a format has no levels, a line that says one of these is an error; in small letters, it holds one of these.
_TELLS: Final = re.compile(r"\b(?:error|fatal|critical|panic|exception|traceback|segfault|out of memory)\b", re.IGNORECASE)
_MAY_TELL: Final = ("error", "fatal", "critical", "panic", "exception", "traceback", "segfault", "out of memory")
_FAILED_FROM: Final = 500
#: A stretch of time is counted in at most so many parts; beyond, two become one.
MOST_PARTS: Final = 512
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the time that the lines are about."""

    #: When it begins (seconds since the epoch).
    at: float
    lines: int
    errors: int


class Timeline:
    """Counts by time, in parts that become longer as the time does."""

    def __init__(self) -> None:
        self.seconds = _MINUTE
        self._parts: dict[int, list[int]] = {}

    def add(self, at: float, *, is_error: bool) -> None:
        """Count one line."""
        part = self._parts.setdefault(int(at // self.seconds), [0, 0])
        part[0] += 1
        part[1] += is_error
        while len(self._parts) > MOST_PARTS:
            self._coarsen()

    def parts(self) -> Sequence[Part]:
        """Return the parts in which there are lines, in their order."""
        return [Part(float(number * self.seconds), *counts) for number, counts in sorted(self._parts.items())]

    def _coarsen(self) -> None:
        self.seconds *= 2
        joined: dict[int, list[int]] = {}
        for number, (lines, errors) in self._parts.items():
            part = joined.setdefault(number // 2, [0, 0])
            part[0] += lines
            part[1] += errors
        self._parts = joined


class LogReport:
    """Takes the lines of many logs; what it keeps is bounded. What is older than `since` only tells what is not new."""

    def __init__(self, stamps: Stamps, since: float | None = None) -> None:
        self._stamps, self._since = stamps, since
        self.lines = self.errors = self.older = 0
        self.first: float | None = None
        self.last: float | None = None
        self.timeline = Timeline()
        #: What lines tell of log-ins that did not succeed, privileges, accounts and attacks.
        self._all, self._errors, self._took = Miner(), Miner(), Percentiles()
        self.security = SecurityTally()

    def take(self, lines: bytes, form: Format, source: str, before: float | None = None) -> float | None:
        """Take whole lines of one log; return the time of the last that said one, for the next call as `before`."""
        at = before
        said: list[tuple[str, float]] = []
        errors: list[tuple[str, float]] = []
        for text in filter(None, lines.decode("utf-8", "replace").split("\n")):
            record = form.record(text, source, self._stamps)
            # A line that says no time belongs to the one above it.
            at = record.at if record.at is not None else at
            said.append((record.message, at or 0.0))
            if self._since is not None and (at is None or at < self._since):
                self.older += 1
            elif self._count(record, at):
                errors.append(said[-1])
        # At once: most of the work is done once for lines that differ in their numbers alone.
        self._all.learn_messages(said)
        self._errors.learn_messages(errors)
        return at

    def templates(self) -> Sequence[Template]:
        """Return the kinds of lines, the most frequent first."""
        return self._all.templates

    def error_templates(self) -> Sequence[Template]:
        """Return those of lines that tell of an error, the most frequent first."""
        return self._errors.templates

    def new_templates(self) -> Sequence[Template]:
        """Return those of which no line is older than `since`."""
        return [] if self._since is None else [each for each in self.templates() if each.first_at >= self._since]

    def latencies(self) -> Sequence[Latency]:
        """Return how long each operation took, that which took the most time in all first."""
        return self._took.latencies(0.0)

    def _count(self, record: LogRecord, at: float | None) -> bool:
        """Count a line; return whether it is an error."""
        is_error = tells_of_an_error(record)
        self.lines += 1
        self.errors += is_error
        if at is not None:
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
            self.timeline.add(at, is_error=is_error)
        if (event := event_of(record)) is not None:
            self.security.add(event)
        if (took := _took(record)) is not None:
            self._took.add(*took, 0.0)
        return is_error


def tells_of_an_error(record: LogRecord) -> bool:
    """Tell whether a line is an error: by its level, by the status of a request, or by its words where it has neither."""
    if level := record.fields.get(LEVEL):
        return level in _ERRORS
    status = record.fields.get("status", "")
    if status.isascii() and status.isdigit():
        return int(status[:4]) >= _FAILED_FROM
    message = record.message
    small = message.lower()
    # Letters outside ASCII that stand for those are none but long s and the sign of Kelvin.
    may_tell = not message.isascii() or any(map(small.__contains__, _MAY_TELL))
    return may_tell and _TELLS.search(message) is not None


def _took(record: LogRecord) -> tuple[str, float] | None:
    """Return what was done, and how long that took (seconds)."""
    if (query := postgres_query(record.text)) is not None:
        return query.form, query.seconds
    if TELLING.isdisjoint(record.fields):
        return None
    request = request_of(record.fields)
    return (request.operation, request.seconds) if request and request.operation and request.seconds is not None else None
