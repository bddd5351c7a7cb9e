"""A source that is far behind is read on by a worker, which looks for its patterns; the check asks how far that is.

The worker goes on from the patterns as they stand and gives back how they stand then, together with the place in the log.
Only both together are taken over: a worker that fails, or an engine that is killed meanwhile, loses and repeats nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zen_agents.errors import HostError
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_logs import CatchUp, Checkpoint, LogPiece, LogRequest

if TYPE_CHECKING:
    from zen_agents.jobs.log_catch_up import PatternAsked

log = logging.getLogger("zen_agents.log_catch_up")

#: After a worker that failed the check reads by itself for so long (seconds).
_NOT_AGAIN: Final = 300.0


class Written(NamedTuple):
    """How the lines of a source are written; see `logs.formats.catalog.made`."""

    name: str
    time_key: str = ""
    security: bool = False


class Caught(NamedTuple):
    """What a look learns of a worker."""

    piece: LogPiece
    #: In words, how far it is.
    said: str
    #: Once it is through: how the patterns stand.
    saved: Mapping[str, Any] | None = None


class LogCatchUp:
    """The worker of one source."""

    def __init__(
        self, name: str, written: Written, zone: tzinfo | None, rules: Sequence[PatternRule], *, multiline: bool
    ) -> None:
        self._name, self._written, self._zone = name, written, zone
        self._rules, self._multiline = tuple(rules), multiline
        self.is_under_way, self._behind = False, 0
        self._not_before = float("-inf")

    def look(self, host: HostView, checkpoint: Checkpoint | None, steady: float) -> Caught | None:
        """Ask how far it is; None if there is none, or it failed: then the check reads by itself."""
        state = host.catch_up(self._name) if self.is_under_way else None
        if state is None:
            self.is_under_way = False
            return None
        if not state.is_over:
            said = f"a worker reads on, {size_in_words(state.read)} so far"
            # What it was given is not looked at before its reply is here.
            behind = state.read + state.behind if state.read else self._behind
            return Caught(LogPiece((), checkpoint or {}, behind=behind), said)
        self.is_under_way = False
        saved = self._taken(state)
        if saved is None or state.piece is None:
            self._has_failed(state.failed or "its reply makes no sense", steady)
            return None
        return Caught(state.piece, f"a worker has read {size_in_words(state.read)}", saved)

    def begin(
        self, host: HostView, request: LogRequest, checkpoint: Checkpoint | None, saved: Mapping[str, Any], *,
        behind: int, at: float, steady: float,
    ) -> None:  # fmt: skip
        """Have one read on, unless the last one has failed lately or there can be none here."""
        if steady < self._not_before:
            return
        from zen_agents.jobs.log_catch_up import CatchUpRequest  # noqa: PLC0415 - only where one is that far behind

        job = CatchUpRequest(
            patterns=tuple(map(_asked, self._rules)), format=self._written.name, time_key=self._written.time_key,
            security=self._written.security, multiline=self._multiline, zone=str(self._zone or ""), saved=saved, now=at,
        )  # fmt: skip
        try:
            host.begin_catch_up(self._name, request, checkpoint, job.model_dump_json())
        except HostError as error:
            self._has_failed(str(error), steady)
        else:
            self.is_under_way, self._behind = True, behind

    def _has_failed(self, why: str, steady: float) -> None:
        self._not_before = steady + _NOT_AGAIN
        log.warning("the worker that was to read on for %s failed, and the check reads by itself: %s", self._name, why)

    def _taken(self, state: CatchUp) -> Mapping[str, Any] | None:
        from pydantic import ValidationError  # noqa: PLC0415 - as above

        from zen_agents.jobs.log_catch_up import CatchUpReply  # noqa: PLC0415 - as above

        if state.failed:
            return None
        try:
            return CatchUpReply.model_validate_json(state.reply).saved
        except ValidationError:
            return None


def _asked(rule: PatternRule) -> PatternAsked:
    from zen_agents.jobs.log_catch_up import PatternAsked, StepAsked  # noqa: PLC0415 - as above

    detects = rule.detects
    kinds = {CountRule: "counting", DistinctRule: "distinct", AbsenceRule: "absence", SequenceRule: "sequence"}
    steps = tuple(StepAsked(match=step.match, where=_plain(step.where), sigma=_plain(step.sigma)) for step in rule.steps)
    return PatternAsked.model_validate(
        {
            "name": rule.name,
            "steps": steps,
            "shares": rule.shares,
            "targets": rule.targets,
            kinds[type(detects)]: asdict(detects),
        }
    )


def _plain(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)
