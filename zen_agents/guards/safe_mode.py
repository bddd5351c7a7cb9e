"""Safe mode, and a state that cannot be written."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.brakes import describe, holding
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class SafeMode(Guard):
    """Refuses the engine while safe mode is on, or while what it does could not be written down."""

    name = "safe_mode"
    why = "When acting itself looks dangerous, only people act; an engine that cannot keep records is in safe mode."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        brake = holding(question, "safe_mode")
        if brake is not None:
            return self.deny(Reason.SAFE_MODE, describe(brake, question.now.steady), until=brake.until)
        if not question.store.writable():
            return self.deny(Reason.SAFE_MODE, "the state cannot be written")
        return self.allow("off", origin=question.policy.origin("safe_mode.enter_when", "safe_mode"))
