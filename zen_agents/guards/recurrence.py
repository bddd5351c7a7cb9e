"""A fix that keeps coming back is a failure (R7)."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.brakes import describe, holding
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

#: The brake of a target over which the engine and somebody else have fought.
RIVAL = "rival"


class Recurrence(Guard):
    """Refuses what was repaired too often, until no repair was needed for `retry_after`; then one more is due.

    What somebody else undid three times is refused for `retry_after` as well: two controllers are at it.
    """

    name = "recurrence"
    why = "Repairing the same fault again and again hides it from those who could end it."
    overridable = True

    def assess(self, question: Question) -> Answer:
        if question.incident is None:
            return self.allow("asked for by hand")
        limit, now, key = question.policy.recurrence, question.now.steady, question.incident.key
        origin = question.policy.origin("breakers.recurrence")
        if (rival := holding(question, RIVAL)) is not None:
            return self.deny(Reason.RECURRENCE, describe(rival, now), origin=origin, until=rival.until)
        repairs = question.store.repairs(key, now - limit.within_seconds)
        value = f"{repairs} of {limit.most} repairs in {span(limit.within_seconds)}"
        if repairs < limit.most:
            return self.allow(value, origin=origin)
        if limit.retry_after_seconds > 0 and question.store.repairs(key, now - limit.retry_after_seconds) == 0:
            return self.allow(f"{value}, none for {span(limit.retry_after_seconds)}", origin=origin)
        return self.deny(Reason.RECURRENCE, value, origin=origin)
