"""The mode of this host."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class Mode(Guard):
    """Refuses the engine in mode observe. Mode approve is the approval guard's."""

    name = "mode"
    why = "In mode observe the engine watches and tells, and never changes anything."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        mode, origin = question.policy.mode, question.policy.origin("mode")
        if mode == "observe":
            return self.deny(Reason.MODE_OBSERVE, mode, origin=origin)
        if mode not in ("approve", "enforce"):
            raise ValueError(f"unknown mode {mode!r}")
        return self.allow(mode, origin=origin)
