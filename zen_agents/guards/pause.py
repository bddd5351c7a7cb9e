"""Pauses that people set, and targets that an unknown outcome closed."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.brakes import describe, holding
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class Pause(Guard):
    """Refuses the engine while the host, the agent, the rule or the target is paused or closed."""

    name = "pause"
    why = "Somebody works on it by hand, or nobody knows how the last action there ended."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        now = question.now.steady
        closed = holding(question, "target_closed")
        if closed is not None:
            return self.deny(Reason.UNKNOWN_OUTCOME, describe(closed, now), until=closed.until)
        paused = holding(question, "pause", "rule_paused")
        if paused is not None:
            return self.deny(Reason.PAUSED, describe(paused, now), until=paused.until)
        return self.allow("none active")
