"""The request and the reply of the worker that tries regular expressions on lines. JSON both ways, checked on reading."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

#: Module that does the job; adapters start it by this name and never import it.
WORKER = "zen_agents.workers.pattern_trial"

#: A line longer than this (characters) is not tried.
MOST_LINE_CHARS = 65_536

Verdict = Literal["matched", "missed", "ignored"]


class _Job(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LogStep(_Job):
    """Which lines of a log count: those that hold an expression, whose fields are so, and that a Sigma rule means."""

    match: str = ""
    where: dict[str, Any] = {}
    sigma: dict[str, Any] | None = None


class LogTrial(_Job):
    """The steps of a pattern of a log, tried as the agent that follows it does: by its engine, on what its format reads."""

    steps: tuple[LogStep, ...] = Field(min_length=1)
    format: str
    #: What lines tell of log-ins and privileges is among their fields.
    security: bool = False
    #: Of format json: the field with the time.
    time_key: str = ""
    #: What the clock says (seconds since the epoch).
    now: float


class PatternRequest(_Job):
    """Which expressions are searched for in which lines; or which steps of a log's pattern."""

    expressions: tuple[str, ...] = Field((), max_length=1000)
    log: LogTrial | None = None
    lines: tuple[str, ...]
    #: What every match is replaced by, one expression after the other; None: nothing is replaced.
    replacement: str | None = None
    #: Which lines are returned; None: all of them, and of those that missed how far the expression got.
    show: Verdict | None = "matched"
    most_shown: int = Field(100, ge=0, le=1000)


class TriedLine(_Job):
    """One line, and what came of it. All texts are untrusted, and cut where they are long."""

    #: From 1.
    number: int
    verdict: Verdict
    text: str
    #: The line with its matches replaced, None if nothing is replaced or it missed.
    after: str | None = None
    #: Named groups of the first match, None: the group took no part; of a log's line also the fields that were looked at.
    groups: dict[str, str | None] = {}
    #: Why it was ignored.
    why: str = ""
    #: Of a line that missed: where the longest part of the expression from its beginning that matches ends; None if none.
    partial_end: int | None = None


class PatternReply(_Job):
    """How many lines matched, and those that were asked for."""

    matched: int
    missed: int
    ignored: int
    #: How many lines each expression, or each step, matched.
    by_expression: tuple[int, ...]
    shown: tuple[TriedLine, ...]
