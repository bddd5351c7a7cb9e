"""Which kinds of lines a log has: those that are new, those that vanished, and those that come in bursts.

What differs from one line to the next is left out of a kind. What is usual is learned for each hour of the week, so that a
nightly job is no burst and a quiet Sunday no loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from zen_agents.checks.log_study import LogStudyCheck
from zen_agents.logs.formats.base import Format
from zen_agents.logs.watching.templates import TemplateStudy
from zen_agents.ports.host_logs import LogRequest


def template_names(source: str) -> tuple[str, str, str]:
    """Return the names of the observations about new kinds of lines, vanished ones and bursts."""
    return f"new_template.{source}", f"vanished_template.{source}", f"template_burst.{source}"


class LogTemplatesCheck(LogStudyCheck):
    """Observes `new_template.NAME`, `vanished_template.NAME` and `template_burst.NAME`: how many kinds of lines are so.

    PROBLEM for an hour after a new kind came, for a day after one vanished or until it is back, and for as long as one comes
    more often than is usual at this hour, at most a day. OK while it learns.
    """

    kind = "log_templates"
    summary = "Does this log say something new, or something else than usual?"

    def __init__(
        self, label: str, *, request: LogRequest, form: Format, zone: tzinfo | None, learn_seconds: float,
        every_seconds: float, multiline: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(label, template_names(label), request, every_seconds, multiline=multiline)
        self._form, self._zone, self._learn_seconds = form, zone, learn_seconds

    def begin(self, now: float, saved: Mapping[str, Any]) -> TemplateStudy:
        """Return the study as it goes on."""
        return TemplateStudy(self._form, self._zone, self._learn_seconds, now, saved)
