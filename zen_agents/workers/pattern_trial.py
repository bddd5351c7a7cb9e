"""Tries regular expressions on lines: `python -m zen_agents.workers.pattern_trial`, a request on stdin, a reply on stdout.

No expression can take without end (`zen_agents.model.pattern`), but large ones on many lines take long: whoever started this
process ends it then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from zen_agents.jobs.pattern_trial import MOST_LINE_CHARS, LogTrial, PatternReply, PatternRequest, TriedLine
from zen_agents.logs.detection.where import compiled as compiled_where
from zen_agents.logs.formats.catalog import made
from zen_agents.logs.matching.choose import choose
from zen_agents.logs.record import LogRecord
from zen_agents.logs.sigma.rules import rules_of
from zen_agents.logs.stamps import Stamps
from zen_agents.model.pattern import Match, Pattern, PatternError, compiled

#: What is returned of one line, of one group, and of everything (characters).
_MOST_TEXT, _MOST_GROUP, _MOST_REPLY = 500, 200, 150_000
_MOST_GROUPS = 20
#: An expression longer than this is not taken apart to see how far it gets.
_MOST_PARTIAL = 500


def trial(request: PatternRequest) -> PatternReply:
    """Try every line."""
    return _Trial(request).reply()


def main() -> int:
    """Read the request, write the reply; the exit status is 2 for a request that is none."""
    try:
        request = PatternRequest.model_validate_json(sys.stdin.read())
    except ValidationError as error:
        sys.stderr.write(f"this is no request: {error.error_count()} errors\n")
        return 2
    sys.stdout.write(trial(request).model_dump_json())
    return 0


class LogLines:
    """Judges lines as the agent that follows their log does."""

    def __init__(self, trial: LogTrial) -> None:
        self._form = made(trial.format, time_key=trial.time_key, security=trial.security)
        self._stamps = Stamps(trial.now)
        matches = [step.match for step in trial.steps if step.match]
        self._matcher = choose(matches).matcher if matches else None
        #: Of each step: its place among the matcher's patterns, None for every line; what its fields must be; what it means.
        self._steps = [
            (matches.index(step.match) if step.match else None, step.where, compiled_where(step.where), _meaning(step.sigma))
            for step in trial.steps
        ]

    def found(self, text: str) -> Mapping[int, Mapping[str, str | None]]:
        """Return the steps that a line is one of, each with its groups and the fields that were looked at."""
        line = text.encode("utf-8", "replace")
        hits = {hit.pattern for hit in self._matcher.hits(line)} if self._matcher is not None and line else set()
        record = self._form.record(text, "", self._stamps)
        found: dict[int, Mapping[str, str | None]] = {}
        for number, (match, where, holds, means) in enumerate(self._steps):
            if match is not None and match not in hits:
                continue
            groups = self._matcher.fields(match, line) if self._matcher is not None and match is not None else {}
            fields = {**record.fields, **groups}
            if holds(fields) and (means is None or means(record._replace(fields=fields))):
                found[number] = {**groups, **{name: fields.get(name) for name in where}}
        return found


def _meaning(sigma: Mapping[str, Any] | None) -> Callable[[LogRecord], bool] | None:
    return None if sigma is None else rules_of([sigma])[0].means


class _Trial:
    def __init__(self, request: PatternRequest) -> None:
        self._request = request
        self._patterns = [compiled(expression) for expression in request.expressions]
        self._log = None if request.log is None else LogLines(request.log)
        self._hits = [0] * (len(self._patterns) if request.log is None else len(request.log.steps))
        self._counts = {"matched": 0, "missed": 0, "ignored": 0}
        self._left = _MOST_REPLY

    @cached_property
    def _beginnings(self) -> Sequence[Pattern]:
        log = self._request.log
        expression = self._request.expressions[0] if log is None else log.steps[0].match
        return () if len(expression) > _MOST_PARTIAL else tuple(_beginnings(expression))

    def reply(self) -> PatternReply:
        shown: list[TriedLine] = []
        for number, text in enumerate(self._request.lines, start=1):
            tried = self._tried(number, text)
            self._counts[tried.verdict] += 1
            if self._is_wanted(tried) and len(shown) < self._request.most_shown and self._left > 0:
                shown.append(tried)
                self._left -= len(tried.model_dump_json())
        return PatternReply(**self._counts, by_expression=tuple(self._hits), shown=tuple(shown))

    def _is_wanted(self, tried: TriedLine) -> bool:
        return self._request.show in (None, tried.verdict)

    def _tried(self, number: int, text: str) -> TriedLine:
        shown = text[:_MOST_TEXT]
        if len(text) > MOST_LINE_CHARS:
            return TriedLine(
                number=number, verdict="ignored", text=shown, why=f"is longer than {MOST_LINE_CHARS} characters"
            )
        groups, after = self._searched(text)
        if groups is None:
            partial = self._partial_end(text) if self._request.show is None else None
            return TriedLine(number=number, verdict="missed", text=shown, partial_end=partial)
        rest = None if after is None else after[:_MOST_TEXT]
        return TriedLine(number=number, verdict="matched", text=shown, after=rest, groups=groups)

    def _searched(self, text: str) -> tuple[dict[str, str | None] | None, str | None]:
        """Return the named groups of the first match, None if nothing matches; and the line with its matches replaced."""
        if self._log is not None:
            steps = self._log.found(text)
            for step in steps:
                self._hits[step] += 1
            return next((_cut(fields) for fields in steps.values()), None), None
        replacement, after = self._request.replacement, text
        first: dict[str, str | None] | None = None
        for index, pattern in enumerate(self._patterns):
            found = pattern.search(after)
            if found is None:
                continue
            self._hits[index] += 1
            first = _groups(pattern, found) if first is None else first
            if replacement is not None:
                after = pattern.replaced(after, replacement)
        return first, None if replacement is None else after

    def _partial_end(self, text: str) -> int | None:
        found = (part.search(text) for part in self._beginnings)
        return next((each.end() for each in found if each is not None and each.end() > each.start()), None)


def _groups(pattern: Pattern, found: Match) -> dict[str, str | None]:
    values = found.groupdict()
    return _cut({name: values[name] for name in pattern.names})


def _cut(values: Mapping[str, str | None]) -> dict[str, str | None]:
    named = list(values.items())[:_MOST_GROUPS]
    return {name: None if value is None else value[:_MOST_GROUP] for name, value in named}


def _beginnings(expression: str) -> Iterator[Pattern]:
    """Yield what is left of an expression when ever more of its end is taken off, as far as it is one."""
    for length in range(len(expression) - 1, 0, -1):
        try:
            yield compiled(expression[:length])
        except PatternError:
            continue  # cut within a group or a class: a shorter beginning is one again


if __name__ == "__main__":
    raise SystemExit(main())
