"""Inhibition: what it depends on is repaired first."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import one_line
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class Dependency(Guard):
    """Refuses while an incident is live, also a suspected one, on something the rule depends on."""

    name = "dependency"
    why = "Restarting what only suffers from another fault hides that fault and adds a second."
    overridable = True

    def assess(self, question: Question) -> Answer:
        origin = question.origin_of_service("depends_on")
        for key in sorted(question.depends_on):
            incident = question.situation.incidents.get(key)
            if incident is not None and incident.is_live and incident.explains_others:
                how = f": {one_line(known)}" if (known := question.known_by.get(key)) else ""
                return self.deny(
                    Reason.DEPENDENCY_DOWN, f"{key} is {incident.state.value} ({incident.id}){how}", origin=origin
                )
        return self.allow(
            f"{len(question.depends_on)} of {len(question.depends_on)} fine" if question.depends_on else "none",
            origin=origin,
        )
