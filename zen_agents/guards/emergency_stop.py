"""The emergency stop."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import one_line
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class EmergencyStop(Guard):
    """Refuses everyone while the flag is set; it is read anew each time."""

    name = "emergency_stop"
    why = "A human stop outranks everything: while it is set nothing is changed, whoever asks."

    def assess(self, question: Question) -> Answer:
        text = question.stop.read()
        return self.allow("not set") if text is None else self.deny(Reason.EMERGENCY_STOP, one_line(text) or "set")
