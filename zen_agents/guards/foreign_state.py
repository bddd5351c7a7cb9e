"""State that is not this host's own (R34)."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.brakes import describe, holding
from zen_agents.guards.wording import one_line
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class ForeignState(Guard):
    """Refuses while the state came from another machine, was restored, or is new where it should not be."""

    name = "foreign_state"
    why = "Limits and approvals of another machine, or of yesterday, say nothing about this one."
    overridable = True

    def assess(self, question: Question) -> Answer:
        foreign = question.situation.foreign
        if foreign:
            return self.deny(Reason.FOREIGN_STATE, one_line(foreign))
        brake = holding(question, "observe_only")
        if brake is not None:
            return self.deny(Reason.FOREIGN_STATE, describe(brake, question.now.steady), until=brake.until)
        return self.allow("this host's own")
