"""How long what a log tells of takes, which statements were slow, and whether too many requests fail.

Durations are kept as sketches: a percentile is right to within 1 %, whatever the distribution, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from zen_agents.checks.log_study import LogStudyCheck
from zen_agents.logs.formats.base import Format
from zen_agents.logs.watching.latency import LatencyRule, LatencyStudy
from zen_agents.ports.host_logs import LogRequest


def latency_names(source: str) -> tuple[str, str, str]:
    """Return the names of the observations about routes, statements and errors."""
    return f"latency.{source}", f"slow_query.{source}", f"error_budget.{source}"


class LogLatencyCheck(LogStudyCheck):
    """Observes `latency.NAME`, operations that are too slow; `slow_query.NAME`, statements; `error_budget.NAME`, the rate.

    PROBLEM while a percentile of an operation is above its limit within the window, while a slow statement is within it, and
    while errors use up their budget too fast: 14.4 times as fast as the objective allows over an hour, or 6 times over six.
    """

    kind = "log_latency"
    summary = "Is what this log tells of slower than it may be, or does too much of it fail?"

    def __init__(
        self, label: str, *, request: LogRequest, form: Format, zone: tzinfo | None, rule: LatencyRule, every_seconds: float,
        multiline: bool = False,
    ) -> None:  # fmt: skip
        # A request is one line, and nobody waits for what may come below it.
        is_joined = multiline and rule.slow_query is not None
        super().__init__(label, latency_names(label), request, every_seconds, multiline=is_joined)
        self._form, self._zone, self._rule = form, zone, rule

    def begin(self, now: float, saved: Mapping[str, Any]) -> LatencyStudy:
        """Return the study as it goes on."""
        return LatencyStudy(self._rule, self._form, self._zone, now, saved)
