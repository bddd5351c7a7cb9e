"""Whether a queue grows, as a log says how long it is.

Its depth has a rising trend that is not chance (Mann and Kendall's test), however unsteadily it rises: peaks and outliers
alone are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from zen_agents.checks.log_study import LogStudyCheck
from zen_agents.logs.formats.base import Format
from zen_agents.logs.watching.queues import QueueRule, QueueStudy
from zen_agents.ports.host_logs import LogRequest


class LogQueuesCheck(LogStudyCheck):
    """Observes `queue_growth.NAME`: how many queues of this log grow. PROBLEM while any does, over the whole window."""

    kind = "log_queues"
    summary = "Does a queue grow, of those that this log tells of?"

    def __init__(
        self, label: str, *, request: LogRequest, form: Format, zone: tzinfo | None, rule: QueueRule, every_seconds: float
    ) -> None:
        super().__init__(label, (f"queue_growth.{label}",), request, every_seconds)
        self._form, self._zone, self._rule = form, zone, rule

    def begin(self, now: float, saved: Mapping[str, Any]) -> QueueStudy:
        """Return the study as it goes on."""
        del now
        return QueueStudy(self._rule, self._form, self._zone, saved)
