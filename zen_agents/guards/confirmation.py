"""A log line alone never acts (R32)."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class Confirmation(Guard):
    """Refuses what rests on a log line until a check of the target's present state is bad as well."""

    name = "confirmation"
    why = "A line in a log may be old, forged or about something else."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        if not question.needs_confirmation:
            return self.allow("the rule looks at the present state")
        target = question.request.target
        if target in question.situation.present_problems:
            return self.allow(f"a present-state check of {target} is bad too")
        return self.deny(Reason.UNCONFIRMED, f"no present-state check of {target} is bad")
